"""What tests ask of a page in the browser, as its own scripts."""

from __future__ import annotations

# Elements whose content is wider than they are, or that reach beyond the window. A picture scales; its text is apart.
OVERFLOWING = """() => [...document.querySelectorAll('body, body *')].filter(each => {
  if (each.closest('svg') && each.tagName !== 'svg') return false;
  const box = each.getBoundingClientRect();
  if (box.width === 0 || box.height === 0) return false;
  const inline = getComputedStyle(each).display.startsWith('inline') && each.tagName !== 'svg';
  return box.right > innerWidth + 0.5 || box.left < -0.5 || (!inline && each.scrollWidth > each.clientWidth + 1);
}).map(each => `${each.tagName} ${each.className} ${each.textContent.slice(0, 60)}`)"""

DOCUMENT_WIDTH = "document.documentElement.scrollWidth"

# Texts of a picture that reach out of it.
OUT_OF_PICTURE = """() => [...document.querySelectorAll('svg text')].filter(each => {
  const box = each.getBoundingClientRect(), picture = each.ownerSVGElement.getBoundingClientRect();
  return box.left < picture.left - 0.5 || box.right > picture.right + 0.5 || box.bottom > picture.bottom + 0.5;
}).map(each => each.textContent)"""

# Text by its colour on the nearest background, with the contrast that WCAG 2 defines, the least first.
CONTRASTS = """() => {
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(part => part / 255)
    .map(part => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, n) => sum + part * [0.2126, 0.7152, 0.0722][n], 0);
  const ground = element => {
    for (let each = element; each; each = each.parentElement) {
      const colour = parse(getComputedStyle(each).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
      if (colour[3] > 0) throw new Error(`half transparent: ${each.className}`);
    }
    throw new Error('no background');
  };
  const found = {}, walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, style = getComputedStyle(element);
    if (!walker.currentNode.textContent.trim()) continue;
    const ink = parse(element.closest('svg') && element.tagName === 'text' ? style.fill : style.color);
    const levels = [light(ink), light(ground(element))].sort((a, b) => b - a);
    const name = `${ink} on ${ground(element)}`, said = walker.currentNode.textContent.trim().slice(0, 40);
    found[name] = [(levels[0] + 0.05) / (levels[1] + 0.05), `${name}: ${said}`];
  }
  return Object.values(found).sort((a, b) => a[0] - b[0]);
}"""

# Marks and lines of the pictures on the page's ground.
MARKS = """() => [...document.querySelectorAll('svg [class^=s]')].map(each => getComputedStyle(each).stroke)"""
