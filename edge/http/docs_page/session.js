// Who is logged in. Tokens are in memory only, and renewed when a request needs it.

const RENEW_BEFORE_MS = 5_000;

export class Session extends EventTarget {
  #tokens;
  #renewal;

  constructor(base) {
    super();
    this.base = base;
  }

  get user() {
    return this.#tokens?.user;
  }

  async login(username, password, scope) {
    const answer = await this.#post("login", { username, password, ...(scope && { scope }) });
    if (!answer.ok) throw new Error(await reasonOf(answer));
    this.adopt(await answer.json(), username);
  }

  // Take the tokens of an answer of /login, /refresh-token or /token.
  adopt(tokens, name) {
    const claims = claimsOf(tokens.access_token);
    this.#set({
      access: tokens.access_token,
      refresh: tokens.refresh_token,
      user: {
        name: name ?? claims.sub ?? "somebody",
        roles: claims.roles ?? [],
        scopes: tokens.scope?.split(" ").filter(Boolean) ?? [],
        until: Date.now() + tokens.expires_in * 1000,
        canRenew: Boolean(tokens.refresh_token),
      },
    });
  }

  // The access token, renewed if it is about to expire; undefined where nobody is logged in.
  async token() {
    const isOld = this.user && this.user.until - Date.now() < RENEW_BEFORE_MS;
    if (isOld && this.user.canRenew) await this.renew().catch(() => undefined);
    return this.#tokens?.access;
  }

  renew() {
    this.#renewal ??= this.#renew().finally(() => (this.#renewal = undefined));
    return this.#renewal;
  }

  async logout() {
    const headers = { Authorization: `Bearer ${this.#tokens.access}` };
    this.#set(undefined);
    // With credentials, or the browser would not clear what the answer tells it to.
    await fetch(new URL("logout", this.base), { method: "POST", headers, credentials: "same-origin" });
  }

  async #renew() {
    const { refresh, user } = this.#tokens;
    const answer = await this.#post("refresh-token", { refresh_token: refresh });
    if (answer.ok) return this.adopt(await answer.json(), user.name);
    if (answer.status === 401) this.#set(undefined);
    throw new Error(await reasonOf(answer));
  }

  #post(path, body) {
    return fetch(new URL(path, this.base), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      credentials: "omit",
    });
  }

  #set(tokens) {
    this.#tokens = tokens;
    this.dispatchEvent(new Event("change"));
  }
}

// What a refusal says to people, with how long to wait.
async function reasonOf(answer) {
  const problem = await answer.json().catch(() => ({}));
  const wait = answer.headers.get("Retry-After");
  const text = problem.detail ?? `${answer.status} ${answer.statusText}`;
  return wait ? `${text} Try again in ${wait} s.` : text;
}

// The claims of a token, to be shown; whether they are true is for the server to say.
function claimsOf(token) {
  try {
    const bytes = atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"));
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(bytes, (c) => c.charCodeAt(0))));
  } catch {
    return {};
  }
}
