// The least that an observation can be: visible controls and links in document order, each with role and name.
() => {
  const lines = [];
  for (const node of document.querySelectorAll('a[href], button, input, select, textarea, [role], [onclick]')) {
    const box = node.getBoundingClientRect();
    if (!box.width || !box.height) continue;
    const label = node.labels?.[0]?.innerText || node.getAttribute('aria-label') || node.textContent || node.value || '';
    lines.push(`${lines.length + 1} ${node.type || node.localName} "${label.trim().slice(0, 80)}"`);
  }
  return lines.join('\n');
}
