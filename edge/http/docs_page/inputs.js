// The parts of a request's form that hold parameters and the body.

import { element, inline } from "./dom.js";

const FORM = "application/x-www-form-urlencoded";
const SECRET = /password|secret/;

// Give the element and a function that reads { name, place, value }.
export function parameterInput(parameter, description) {
  const { name, in: place } = parameter;
  const schema = description.resolve(parameter.schema);
  const control = controlFor(name, schema, place === "path");
  const hint = [parameter.description ?? schema.description, boundsOf(schema)].filter(Boolean).join(" ");
  return {
    part: labelled(control, name, place, hint),
    read: () => ({ name, place, value: control.value }),
  };
}

// Give the element, the media type and a function that reads the text; nothing where there is no body.
export function bodyInput(operation, description) {
  const body = description.body(operation);
  if (!body) return undefined;
  return body.type === FORM ? formInput(body, description) : textInput(body, description);
}

function formInput({ type, schema }, description) {
  const fields = Object.entries(schema.properties ?? {}).map(([name, part]) => {
    const { description: text, ...rest } = description.resolve(part);
    const control = controlFor(name, rest, false);
    const isNeeded = schema.required?.includes(name);
    return { name, control, part: labelled(control, name, isNeeded ? "needed" : "", text) };
  });
  const filled = () => fields.filter(({ control }) => control.value !== "");
  return {
    type,
    part: element("fieldset", {}, element("legend", {}, "Form"), fields.map(({ part }) => part)),
    text: () => new URLSearchParams(filled().map(({ name, control }) => [name, control.value])).toString(),
  };
}

function textInput({ type, schema }, description) {
  const isJson = type.endsWith("json");
  const text = isJson ? JSON.stringify(description.sample(schema), null, 2) : "";
  const note = element("span", { class: "bad", role: "status" });
  const control = element("textarea", { rows: Math.max(3, text.split("\n").length), spellcheck: "false" }, text);
  control.addEventListener("input", () => {
    note.textContent = isJson && !isJsonText(control.value) ? "This is not JSON." : "";
  });
  return { type, part: element("div", {}, labelled(control, "Body", type), note), text: () => control.value };
}

function controlFor(name, schema, isNeeded) {
  const common = { "data-name": name, required: isNeeded };
  if (schema.enum) return element("select", common, ["", ...schema.enum].map((one) => element("option", {}, String(one))));
  const [example] = schema.examples ?? [];
  const control = element("input", {
    ...common,
    type: SECRET.test(name) ? "password" : "text",
    inputmode: schema.type === "integer" ? "numeric" : undefined,
    placeholder: String(example ?? schema.default ?? ""),
    autocomplete: "off",
    autocapitalize: "none",
    spellcheck: "false",
  });
  if (!schema.examples || schema.examples.length < 2) return control;
  const id = `choices-${name}`;
  control.setAttribute("list", id);
  return Object.assign(control, { choices: element("datalist", { id }, schema.examples.map((value) => element("option", { value }))) });
}

function labelled(control, name, place, hint) {
  return element("label", {},
    element("span", { class: "label" }, element("span", {}, name), element("span", { class: "quiet" }, place)),
    control, control.choices,
    hint && element("span", { class: "hint quiet" }, inline(hint)));
}

function boundsOf({ type, minimum, maximum, default: usual }) {
  const parts = [
    minimum !== undefined && maximum !== undefined && `From ${minimum} to ${maximum}.`,
    type === "integer" && usual !== undefined && `Without it, ${usual}.`,
  ];
  return parts.filter(Boolean).join(" ");
}

function isJsonText(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
