// An answer: its status, what it says of limits and credentials, its body and its header fields.

import { loginButton } from "./account.js";
import { countdown, element } from "./dom.js";
import { limitsOf } from "./limits.js";

const MOST_SHOWN_BYTES = 200_000;
// A name with its colon, another string, a number, a word.
const JSON_PART = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d[\d.eE+-]*)|\b(true|false|null)\b/g;

export function answerView(request, { answer, bytes, took }, session) {
  const type = answer.headers.get("Content-Type") ?? "";
  const json = type.split(";")[0].endsWith("json") ? parsed(bytes) : undefined;
  return [
    element("p", { class: "result" },
      element("strong", { class: `status s${String(answer.status)[0]}` }, `${answer.status} ${answer.statusText}`),
      element("span", { class: "quiet" }, `${took.toFixed(0)} ms, ${bytes.length.toLocaleString("en")} bytes`)),
    ...advice(answer, json, session),
    ...limitsOf(answer.headers),
    bodyOf(request, bytes, json),
    element("details", {}, element("summary", {}, "Header fields"), fieldsOf(answer.headers)),
    element("details", {}, element("summary", {}, "As a curl command"), element("pre", { class: "curl", tabindex: "0" }, curlOf(request))),
  ];
}

export function failureView(error) {
  return [
    element("p", { class: "result" }, element("strong", { class: "status s5" }, "No answer")),
    element("p", {}, `The browser could not send it: ${error.message}.`),
  ];
}

// What there is to do about it.
function advice(answer, json, session) {
  const found = [];
  const wait = Number(answer.headers.get("Retry-After"));
  const until = Date.now() + wait * 1000;
  if (json?.title) found.push(element("p", { class: "title" }, json.title, "."));
  if (wait) found.push(element("p", {}, countdown(until, (left) => (left ? `Try again in ${left} s.` : "You may try again."))));
  if (answer.status === 401 && answer.headers.get("WWW-Authenticate")?.includes("Bearer")) found.push(loginButton());
  if (answer.ok && json?.access_token) {
    const use = (event) => {
      session.adopt(json);
      event.target.replaceWith("It is used from now on.");
    };
    found.push(element("button", { type: "button", onclick: use }, "Use this access token"));
  }
  return found;
}

function bodyOf({ method }, bytes, json) {
  if (!bytes.length) return element("p", { class: "quiet" }, method === "HEAD" ? "HEAD has no body." : "No body.");
  const text = json === undefined ? new TextDecoder().decode(bytes) : JSON.stringify(json, null, 2);
  const shown = text.slice(0, MOST_SHOWN_BYTES);
  const rest = shown.length < text.length ? element("span", { class: "quiet" }, "\n... and more") : undefined;
  return element("pre", { tabindex: "0", "aria-label": "Body" }, json === undefined ? shown : coloured(shown), rest);
}

function coloured(text) {
  const parts = [];
  let end = 0;
  for (const { 0: all, 1: string, 2: colon, 3: number, index } of text.matchAll(JSON_PART)) {
    const kind = string ? (colon ? "name" : "string") : number ? "number" : "word";
    parts.push(text.slice(end, index), element("span", { class: kind }, string ?? all), colon ?? "");
    end = index + all.length;
  }
  return [...parts, text.slice(end)];
}

function fieldsOf(headers) {
  const rows = [...headers].map(([name, value]) =>
    element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, value)));
  return element("table", { class: "fields" }, element("tbody", {}, rows));
}

// The token is not in it: what is shown gets copied to places where tokens do not belong.
function curlOf({ url, method, headers, body }) {
  const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
  const shown = [...headers].map(([name, value]) =>
    name === "authorization" ? `-H "Authorization: ${value.split(" ")[0]} $CREDENTIALS"` : `-H ${quoted(`${name}: ${value}`)}`);
  const how = { GET: [], HEAD: ["--head"] }[method] ?? [`-X ${method}`];
  return ["curl", ...how, quoted(url.href), ...shown, ...(body ? [`-d ${quoted(body)}`] : [])].join(" ");
}

function parsed(bytes) {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
