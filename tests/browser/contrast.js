// Every piece of text on the page whose contrast with its ground is below `least`, as people see
// it: colours with alpha and opacity are laid over the nearest opaque ground. Icons beside a word
// need 3 (WCAG 2.2, 1.4.11); disabled controls and hidden texts do not count (1.4.3).
(least) => {
  const parse = (c) => {
    const n = c.match(/[\d.]+/g).map(Number);
    if (c.startsWith("color(srgb")) return [n[0] * 255, n[1] * 255, n[2] * 255, n[3] ?? 1];
    return [n[0], n[1], n[2], n[3] ?? 1];
  };
  const over = (top, ground) => top.slice(0, 3).map((v, i) => v * top[3] + ground[i] * (1 - top[3]));
  const light = (c) => {
    const [r, g, b] = c.map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const groundOf = (node) => {
    const layers = [];
    for (let at = node; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour[3] > 0) layers.push(colour);
      if (colour[3] === 1) break;
    }
    return layers.reverse().reduce((ground, layer) => over(layer, ground), [255, 255, 255]);
  };
  const found = new Map();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    if (!text || !element || element.closest("script, style, noscript, svg, canvas")) continue;
    if (element.closest("[disabled], [aria-disabled=true], [aria-hidden=true]")) continue;
    const box = element.getBoundingClientRect();
    if (!box.width || !box.height || !element.checkVisibility({ opacityProperty: true })) continue;
    let opacity = 1;
    for (let at = element; at; at = at.parentElement) opacity *= Number(getComputedStyle(at).opacity);
    const ground = groundOf(element);
    const colour = parse(getComputedStyle(element).color);
    const seen = over([...colour.slice(0, 3), colour[3] * opacity], ground);
    const [a, b] = [light(seen), light(ground)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const icon = /Material Symbols/.test(getComputedStyle(element).fontFamily);
    if (ratio < (icon ? 3 : least)) found.set(`${text.slice(0, 40)} (${ratio.toFixed(2)})`, ratio);
  }
  return [...found.keys()];
}
