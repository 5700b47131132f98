// The corner that says who is logged in, and the dialog to log in with.

import { clock, countdown, element } from "./dom.js";

export function showAccount(session) {
  const corner = document.getElementById("account");
  const show = () => corner.replaceChildren(...(session.user ? whoIs(session) : [loginButton()]));
  session.addEventListener("change", show);
  show();
  prepareDialog(session);
}

export function loginButton() {
  return element("button", { type: "button", class: "primary login", onclick: openLogin }, "Log in");
}

function openLogin() {
  document.getElementById("login-error").textContent = "";
  document.getElementById("login").showModal();
}

function whoIs(session) {
  const { name, roles, scopes, until, canRenew } = session.user;
  const act = (what) => async (event) => {
    event.target.disabled = true;
    await what().catch((error) => (event.target.title = error.message));
    event.target.disabled = false;
  };
  return [
    element("span", { class: "who" },
      element("strong", {}, name),
      element("span", { class: "quiet", title: `Scopes: ${scopes.join(" ") || "none"}` },
        roles.join(", ") || "no roles"),
    ),
    element("span", { class: "quiet until" },
      countdown(until, (left) => (left ? `token ${clock(left)}` : "token expired"))),
    canRenew && element("button", { type: "button", onclick: act(() => session.renew()) }, "Renew"),
    element("button", { type: "button", onclick: act(() => session.logout()) }, "Log out"),
  ].filter(Boolean);
}

function prepareDialog(session) {
  const dialog = document.getElementById("login");
  const form = dialog.querySelector("form");
  const error = document.getElementById("login-error");
  form.querySelector("[value=cancel]").addEventListener("click", () => dialog.close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { username, password, scope } = Object.fromEntries(new FormData(form));
    const button = form.querySelector(".primary");
    button.disabled = true;
    error.textContent = "";
    try {
      await session.login(username, password, scope);
      form.elements.password.value = "";
      dialog.close();
    } catch (problem) {
      error.textContent = problem.message;
    }
    button.disabled = false;
  });
}
