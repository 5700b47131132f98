// One operation: what it is, a form to try it with, and what came back.

import { answerView, failureView } from "./answer.js";
import { credentials } from "./credentials.js";
import { element, inline, prose } from "./dom.js";
import { bodyInput, parameterInput } from "./inputs.js";

export function operationView(operation, description, session) {
  const way = credentials(description.ways(operation), session);
  const inputs = operation.parameters.map((one) => parameterInput(description.resolve(one), description));
  const body = bodyInput(operation, description);
  const answer = element("section", { class: "answer", "aria-label": "Answer", "aria-live": "polite" },
    element("p", { class: "quiet" }, "The answer will be here."));
  const send = element("button", { class: "primary" }, "Send");
  const form = element("form", { "aria-label": "Request" }, way.part, inputs.map(({ part }) => part), body?.part, send);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    send.disabled = true;
    answer.replaceChildren(...(await exchange(operation, description.base, { way, inputs, body }, session)));
    send.disabled = false;
  });
  return [
    element("h1", {}, methodOf(operation), element("span", { class: "path" }, operation.path)),
    element("p", { class: "summary" }, inline(operation.summary ?? "")),
    ...prose(operation.description),
    element("div", { class: "columns" }, form, answer),
    answersOf(operation, description),
  ];
}

export function methodOf({ method }) {
  return element("span", { class: `method ${method.toLowerCase()}` }, method);
}

async function exchange(operation, base, { way, inputs, body }, session) {
  const headers = new Headers();
  const url = urlOf(operation, inputs, base, headers);
  try {
    const authorization = await way.field();
    if (authorization) headers.set("Authorization", authorization);
    if (body) headers.set("Content-Type", body.type);
    const request = { method: operation.method, headers, body: body?.text() };
    const began = performance.now();
    const answer = await fetch(url, { ...request, credentials: "omit", cache: "no-store" });
    const bytes = new Uint8Array(await answer.arrayBuffer());
    return answerView({ url, ...request }, { answer, bytes, took: performance.now() - began }, session);
  } catch (error) {
    return failureView(error);
  }
}

function urlOf(operation, inputs, base, headers) {
  const query = new URLSearchParams();
  let path = operation.path.slice(1);
  for (const { name, place, value } of inputs.map(({ read }) => read())) {
    // A slash stays one, for parameters that are whole paths.
    if (place === "path") path = path.replace(`{${name}}`, encodeURIComponent(value).replaceAll("%2F", "/"));
    else if (value !== "" && place === "query") query.append(name, value);
    else if (value !== "" && place === "header") headers.set(name, value);
  }
  const url = new URL(path, base);
  url.search = query;
  return url;
}

// What the operation can answer, with the codes of its errors.
function answersOf(operation, description) {
  const rows = Object.entries(operation.responses).map(([status, reference]) => {
    const { description: text, content = {} } = description.resolve(reference);
    const codes = Object.values(content).flatMap((one) => Object.keys(one.examples ?? {}));
    return element("tr", {},
      element("th", { scope: "row", class: `status s${status[0]}` }, status),
      element("td", {}, inline(text ?? ""),
        codes.length > 0 && element("div", { class: "codes" }, codes.map((code) => element("code", {}, code)))));
  });
  return element("details", { class: "documented", open: true },
    element("summary", {}, "What it can answer"), element("table", {}, element("tbody", {}, rows)));
}
