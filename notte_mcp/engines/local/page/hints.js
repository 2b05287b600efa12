// What is said of an element that has no name, so that it can be told from its likes.

const HINT_ATTRIBUTES = ["data-testid", "data-test", "data-action", "data-icon", "data-id", "name", "id"];
const DULL_CLASS = /^(icons?|btn|button|fas?|fa[brl]|material-icons|hand|pointer|svg-inline--fa|d-flex|flex|row|col)$/i;

/** What tells a nameless element from its likes: a test id, an icon, a class, a picture, a colour, the text before a field. */
function hintOf(el, role) {
  for (const name of HINT_ATTRIBUTES) {
    const value = squeeze(el.getAttribute(name) ?? "");
    if (value) return cap(`${name}=${value}`, 40);
  }
  if (FIELDS.has(role)) {
    const before = squeeze((el.previousSibling?.textContent ?? "").slice(-200)) || squeeze((el.parentElement?.previousElementSibling?.textContent ?? "").slice(-200));
    return before ? cap(`after ${before}`, 40) : "";
  }
  const use = el.querySelector("use");
  if (use) return cap(squeeze(use.getAttribute("href") ?? use.getAttribute("xlink:href") ?? ""), 40);
  const img = el.localName === "img" ? el : el.querySelector("img");
  if (img?.src && !img.src.startsWith("data:")) return cap(squeeze(img.src.slice(-300).split("/").pop().split("?")[0]), 40);
  return cap(`${classHint(el)} ${colorOf(el)}`.trim(), 40) || el.localName;
}

function classHint(el) {
  const inner = el.querySelector("[class]");
  const classes = `${el.getAttribute("class") ?? ""} ${inner?.getAttribute("class") ?? ""}`.slice(0, 1000).split(/\s+/);
  const telling = classes.filter((c) => c && !DULL_CLASS.test(c));
  const token = telling.find((c) => /icon|btn|fa-|close|menu|arrow|next|prev|del|edit|add/i.test(c)) ?? telling[0];
  return token ? `.${token}` : "";
}

/** The colour that a designer gave the element, "" where it has none of its own. */
function colorOf(el) {
  const style = getComputedStyle(el);
  const color = el.namespaceURI.endsWith("svg") ? style.fill : style.backgroundColor;
  return /^rgb\((?!239, 239, 239|255, 255, 255)/.test(color) ? color.replace(/\s/g, "") : "";
}
