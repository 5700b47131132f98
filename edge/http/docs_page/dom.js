// Elements, made of text and never of markup.

export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue;
    if (key in made && typeof value !== "string") made[key] = value;
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== undefined && child !== false));
  return made;
}

// Paragraphs, with what stands between backticks as code.
export function prose(text = "") {
  return text.split("\n\n").filter(Boolean).map((paragraph) => element("p", {}, inline(paragraph)));
}

export function inline(text) {
  return text.split("`").map((part, index) => (index % 2 ? element("code", {}, part) : part));
}

// A text that counts down each second, for as long as it is on the page.
export function countdown(until, say) {
  const text = element("span");
  const tick = () => {
    text.textContent = say(Math.max(0, Math.ceil((until - Date.now()) / 1000)));
  };
  const timer = setInterval(() => (text.isConnected ? tick() : clearInterval(timer)), 1000);
  tick();
  return text;
}

export function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
