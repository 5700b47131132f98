// How rate limits stand, of the RateLimit fields of an answer (draft-ietf-httpapi-ratelimit-headers-10).

import { element } from "./dom.js";

export function limitsOf(headers) {
  const policies = items(headers.get("RateLimit-Policy"));
  const standings = items(headers.get("RateLimit"));
  return [...standings].map(([name, { r, t }]) => {
    const { q } = policies.get(name) ?? {};
    const share = q ? r / q : 1;
    const bar = element("span", { class: share > 0.2 ? "bar" : "bar low" }, element("span"));
    bar.firstChild.style.inlineSize = `${share * 100}%`;
    return element("p", { class: "limit" },
      element("code", {}, name), bar, element("span", { class: "quiet" }, `${r} of ${q ?? "?"} left, all of them in ${t} s`));
  });
}

// "name";q=5;w=60, "other";q=1;w=1: a list with parameters (RFC 9651), as far as these fields go.
function items(text) {
  return new Map(
    [...(text ?? "").matchAll(/"([^"]+)"((?:;[a-z]+=\d+)*)/g)].map(([, name, parameters]) => [
      name,
      Object.fromEntries([...parameters.matchAll(/;([a-z]+)=(\d+)/g)].map(([, key, value]) => [key, Number(value)])),
    ]),
  );
}
