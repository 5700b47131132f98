// The part of a request's form that says who is asking.

import { loginButton } from "./account.js";
import { element } from "./dom.js";

const LABELS = { bearer: "Access token", basic: "HTTP Basic", client: "Client and secret", nobody: "Nothing" };
const remembered = {}; // what was typed, by way; for as long as the page is there

// Give the element and a function that makes the Authorization field, or nothing.
export function credentials(ways, session) {
  if (ways.length === 1) return { field: async () => undefined };
  const below = element("div", { class: "below" });
  let chosen = ways[0];
  const show = () => below.replaceChildren(...inputs(chosen, session));
  const choose = (way) => {
    chosen = way;
    show();
  };
  const radios = ways.map((way) =>
    element("label", { class: "choice" },
      element("input", { type: "radio", name: "way", value: way, checked: way === chosen, onchange: () => choose(way) }),
      LABELS[way] ?? way),
  );
  show();
  const part = element("fieldset", { class: "ways" }, element("legend", {}, "Authenticate with"), radios, below);
  session.addEventListener("change", () => part.isConnected && show());
  return { part, field: () => fieldFor(chosen, session) };
}

function inputs(way, session) {
  if (way === "nobody") return [];
  if (way === "bearer") {
    if (session.user) return [element("p", { class: "quiet" }, `As ${session.user.name}.`)];
    return [element("p", { class: "quiet" }, "Nobody is logged in. "), loginButton()];
  }
  const typed = (remembered[way] ??= { name: "", secret: "" });
  const input = (key, label, type) =>
    element("label", {}, label,
      element("input", { type, value: typed[key], autocomplete: "off", autocapitalize: "none", spellcheck: "false",
        oninput: (event) => (typed[key] = event.target.value) }));
  const [name, secret] = way === "basic" ? ["Username", "Password"] : ["Client id", "Client secret"];
  return [input("name", name, "text"), input("secret", secret, "password")];
}

async function fieldFor(way, session) {
  if (way === "nobody") return undefined;
  if (way === "bearer") {
    const token = await session.token();
    return token && `Bearer ${token}`;
  }
  const { name, secret } = remembered[way];
  // RFC 6749 section 2.3.1 encodes the parts for clients; RFC 7617 takes them as they are.
  const parts = way === "client" ? [name, secret].map(encodeURIComponent) : [name, secret];
  const bytes = new TextEncoder().encode(parts.join(":"));
  return name || secret ? `Basic ${btoa(String.fromCharCode(...bytes))}` : undefined;
}
