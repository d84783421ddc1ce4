// Contrast of text as WCAG 2 defines it, for what can be seen on the page.

function channels(color) {
  const found = color.match(/[\d.]+/g).map(Number);
  return found.length === 3 ? [...found, 1] : found;
}

// The colour behind an element: that of the first ancestor that is not transparent.
function behind(element) {
  for (let at = element; at; at = at.parentElement) {
    const color = channels(getComputedStyle(at).backgroundColor);
    if (color[3] > 0) return color;
  }
  return [255, 255, 255, 1];
}

function luminance([red, green, blue]) {
  const linear = [red, green, blue].map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
}

const brightness = (element) => luminance(behind(element));

function contrast(element) {
  const pair = [luminance(channels(getComputedStyle(element).color)), brightness(element)];
  return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
}

// The dots of an empty cell say nothing.
function tooFaint() {
  return [...document.querySelectorAll("body *:not(script):not(noscript):not(.none):not(option)")]
    .filter((element) => element.checkVisibility())
    .filter((element) => [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
    .filter((element) => contrast(element) < 4.5)
    .map((element) => `${element.className} "${element.textContent}" ${contrast(element)}`);
}
