// The page as plain HTML for scraping: what the walk would show, with its structure and nothing else.

const SCRAPE_KEPT = new Set(["h1", "h2", "h3", "h4", "h5", "h6", "p", "ul", "ol", "li", "dl", "dt", "dd", "table", "thead",
  "tbody", "tfoot", "tr", "th", "td", "caption", "pre", "code", "blockquote", "strong", "b", "em", "i", "br", "hr", "a", "img",
  "figure", "figcaption", "del", "sub", "sup"]);
const SCRAPE_VOID = /^(br|hr|img)$/;
const SCRAPE_SKIPPED = /^(script|style|template|noscript|svg|canvas|object|embed|notte-marks|select|textarea|input|datalist)$/;
const SCRAPE_ASIDE = "nav,header,footer,aside,[role=navigation],[role=banner],[role=contentinfo],[role=complementary]," +
  "[role=search],dialog:not([open])";
const SCRAPE_LIMIT = 1500000;

/** {html, omitted} of what is rendered; attributes but href, src and alt are left out. `req`: {key, main}. */
function plainHtml(req) {
  let root = req.key === null ? document.body : elementOf(req.key);
  if (!root) return { html: "", omitted: false };
  const main = req.main && req.key === null;
  if (main) {
    const mains = [...document.querySelectorAll("main,[role=main]")].filter(rendered);
    const articles = [...document.querySelectorAll("article")].filter(rendered);
    if (mains.length === 1) root = mains[0];
    else if (articles.length === 1) root = articles[0];
  }
  readSheets(document, true);
  const plain = new Plain(document, main && root === document.body);
  plain.element(root, plain.start(document));
  return { html: plain.parts.join(""), omitted: plain.size > SCRAPE_LIMIT };
}

/** The walk's own rules of what is rendered, giving tags and text instead of nodes. */
class Plain extends Walk {
  constructor(doc, aside) {
    super(doc);
    this.parts = [];
    this.size = 0;
    this.aside = aside;
    this.readable = new WeakMap();
  }

  add(text) {
    this.size += text.length;
    if (this.size <= SCRAPE_LIMIT) this.parts.push(text);
  }

  child(node, parent, ctx) {
    if (this.size > SCRAPE_LIMIT) return;
    if (node.nodeType === 1) this.element(node, ctx);
    else if (node.nodeType === 3 && this.shows(parent, ctx)) this.add(escapeHtml(node.data));
  }

  /** Whether text that stands directly in this element is rendered where it can be read. */
  shows(el, ctx) {
    if (!ctx.shown || ctx.opaque || ctx.clipped) return false;
    if (el.nodeType !== 1) return true;
    let readable = this.readable.get(el);
    if (readable === undefined) {
      const style = getComputedStyle(el);
      readable = style.fontSize !== "0px" && !/^-\d{3,}|^-\d+%/.test(style.textIndent) &&
        (style.display === "contents" || this.reachable(el.getBoundingClientRect(), ctx));
      this.readable.set(el, readable);
    }
    return readable;
  }

  element(el, ctx) {
    const tag = el.localName;
    if (SCRAPE_SKIPPED.test(tag) || this.level > MAX_DEPTH) return;
    const style = getComputedStyle(el);
    if (style.display === "none" || el.ariaHidden === "true" || el.inert) return;
    if (tag !== "details" && style.contentVisibility === "hidden" || this.aside && el.matches(SCRAPE_ASIDE)) return;
    const next = this.context(el, roleOf(el), style, ctx, !el.hasAttributes());
    this.level++;
    if (tag === "iframe" || tag === "frame") this.framed(el, next);
    else this.wrapped(el, tag, INLINE.test(style.display), next);
    this.level--;
  }

  wrapped(el, tag, inline, next) {
    const name = SCRAPE_KEPT.has(tag) ? tag : inline ? "" : "div";
    if (tag === "img") {
      const src = el.src.startsWith("data:") ? "" : el.src.slice(0, 2000);
      if (this.shows(el, next)) this.add(`<img src="${escapeHtml(src)}" alt="${escapeHtml(el.alt.slice(0, 300))}">`);
      return;
    }
    if (name) this.add(tag === "a" ? `<a href="${escapeHtml(el.href.slice(0, 2000))}">` : `<${name}>`);
    this.children(el, next);
    if (name && !SCRAPE_VOID.test(name)) this.add(`</${name}>`);
  }

  /** A frame of the same origin is part of the page; one of another origin is asked in its own world. */
  framed(el, next) {
    let doc = null;
    try { doc = el.contentDocument; } catch { /* another origin */ }
    if (doc?.body && next.shown) this.element(doc.body, this.start(doc, { x: next.x, y: next.y }));
  }
}

function escapeHtml(text) {
  return text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
}
