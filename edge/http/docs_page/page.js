// The page: the list of operations, which of them is shown, and what is there before one is chosen.

import { loginButton, showAccount } from "./account.js";
import { Description } from "./description.js";
import { element, inline, prose } from "./dom.js";
import { methodOf, operationView } from "./operation.js";
import { Session } from "./session.js";

const base = new URL("..", import.meta.url); // wherever a proxy or an app has put this Edge
const session = new Session(base);
const main = document.getElementById("main");
const filter = document.getElementById("filter");

start().catch((error) => main.replaceChildren(element("p", { class: "bad" }, `The description could not be read: ${error.message}`)));

async function start() {
  const url = new URL("openapi.json", base);
  const answer = await fetch(url, { credentials: "omit" });
  if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
  const description = new Description(await answer.json(), url);
  document.getElementById("name").textContent = description.info.title;
  document.body.classList.toggle("without-login", !description.canLogIn());
  showAccount(session);
  showOperations(description);
  const show = () => showChosen(description);
  addEventListener("hashchange", () => {
    show();
    main.focus({ preventScroll: true }); // so that the next Tab leads to the form
  });
  show();
}

function showOperations(description) {
  const groups = description.groups().map(({ name, operations }) =>
    element("section", {}, element("h2", {}, name), element("ul", {}, operations.map((one) => element("li", {}, linkTo(one))))));
  document.getElementById("operations").replaceChildren(...groups);
  filter.addEventListener("input", () => narrow(groups, filter.value.trim().toLowerCase()));
  addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target.closest("input, textarea, select, dialog")) return;
    event.preventDefault();
    filter.focus();
  });
  const list = document.querySelector("nav details");
  list.open = matchMedia("(min-width: 60rem)").matches;
}

function linkTo(operation) {
  const link = element("a", { href: `#${operation.id}`, title: operation.summary }, methodOf(operation), operation.path);
  link.dataset.words = `${operation.method} ${operation.path} ${operation.summary ?? ""}`.toLowerCase();
  return link;
}

function narrow(groups, wanted) {
  for (const group of groups) {
    const links = [...group.querySelectorAll("a")];
    for (const link of links) link.parentElement.hidden = !link.dataset.words.includes(wanted);
    group.hidden = links.every((link) => link.parentElement.hidden);
  }
}

function showChosen(description) {
  const id = decodeURIComponent(location.hash.slice(1));
  if (id === "main") return;
  const operation = description.operations.find((one) => one.id === id);
  for (const link of document.querySelectorAll("nav a"))
    link.ariaCurrent = operation && link.hash === `#${id}` ? "page" : null;
  document.title = [operation && `${operation.method} ${operation.path}`, description.info.title].filter(Boolean).join(" - ");
  main.replaceChildren(...(operation ? operationView(operation, description, session) : overview(description)));
  scrollTo(0, 0);
}

function overview(description) {
  const { title, version, description: text } = description.info;
  const cards = description.groups().map((group) =>
    element("section", { class: "card" },
      element("h2", {}, group.name), prose(group.description),
      element("ul", {}, group.operations.map((one) =>
        element("li", {}, linkTo(one), element("span", { class: "quiet" }, inline(one.summary ?? "")))))));
  return [
    element("h1", {}, title, " ", element("small", { class: "quiet" }, version)),
    ...prose(text),
    element("p", { class: "start login" }, loginButton(), element("span", { class: "quiet" }, "and call a protected route, or see first what it answers without.")),
    element("div", { class: "cards" }, cards),
    element("p", { class: "quiet" }, "All of this is made of ", element("a", { href: new URL("openapi.json", base).href }, "openapi.json"), "."),
  ];
}
