// Rows: list items, table rows, articles and cards. What stands in one is told on one line, and a row far
// below is walked only when somebody asks for it.

/** Whether an element is a card: one of at least three siblings of one tag and class. `known`: shapes by parent. */
function isCard(known, el) {
  if (el.localName !== "div" && el.localName !== "section" && el.localName !== "a") return false;
  const parent = el.parentElement;
  if (!parent || !el.className || typeof el.className !== "string") return false;
  let shapes = known.get(parent);
  if (!shapes) {
    shapes = new Map();
    for (const child of parent.children) {
      const shape = `${child.localName}.${child.className}`;
      shapes.set(shape, (shapes.get(shape) ?? 0) + 1);
    }
    known.set(parent, shapes);
  }
  return (shapes.get(`${el.localName}.${el.className}`) ?? 0) >= 3;
}

/** The box of a row that lies below the viewport, else null: it stands for the boxes of all that flows in the row. */
function belowView(walk, el, ctx) {
  const rect = el.getBoundingClientRect();
  return rect.top + ctx.y >= walk.height && rect.width > 1 && rect.height > 1 && walk.reachable(rect, ctx) ? rect : null;
}

/** Whether an element begins a row below the viewport that holds no field, frame or dialog. */
function isLater(el, next, ctx) {
  return next.below && next.row !== ctx.row && !next.dialog && !ctx.covered && !el.querySelector("input,select,textarea,iframe");
}

/** Note a row without walking it; its text tells whether it has changed. */
function later(walk, el, next) {
  const node = walk.node(`${next.row}r`, "later", "row", "", next, next.below, el);
  node.text = el.textContent.slice(0, 400);
  walk.nodes.push(node);
}

function countItems(el, role) {
  if (role !== "list") return el.querySelectorAll("tr,[role=row]").length;
  let count = 0;
  for (const child of el.children) if (roleOf(child) === "listitem") count++;
  return count;
}
