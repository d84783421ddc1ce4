// Elements of the page. Text of others only ever becomes text.

function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(key, value);
    }
  }
  element.append(...children.filter((child) => child !== null && child !== ""));
  return element;
}

function placeText(number) {
  if (number === NOWHERE) return "";
  const [label, stack, file, line] = data.places[number];
  const where = text(stack) ? `${text(label)} (stack ${text(stack)})` : text(label);
  const position = text(file) ? (line ? `${text(file)}:${line}` : text(file)) : "";
  return [where, position].filter(Boolean).join("  ");
}

function place(number) {
  const words = placeText(number);
  return words ? el("span", { class: "place" }, words) : null;
}

function chip(letter, state, whole, dim = false) {
  const shown = whole ? letter.toUpperCase() : letter;
  return el("span", { class: `chip s${state}${dim ? " dim" : ""}`, "aria-hidden": "true" }, shown);
}

function badge(kind, words) {
  return el("span", { class: `badge ${kind}` }, words);
}

function choice(label, id, options) {
  const select = el("select", { id });
  for (const [value, words] of options) select.append(el("option", { value }, words));
  return { field: el("div", { class: "field" }, el("label", { for: id }, label), select), input: select };
}

function searchField(label, id, hint) {
  const input = el("input", { id, type: "search", placeholder: hint, autocomplete: "off", spellcheck: "false" });
  return { field: el("div", { class: "field" }, el("label", { for: id }, label), input), input };
}

function checkbox(label, id) {
  const input = el("input", { id, type: "checkbox" });
  return { field: el("div", { class: "field check" }, input, el("label", { for: id }, label)), input };
}

const words = (value) => value.toLowerCase().split(/\s+/).filter(Boolean);
const holdsAll = (haystack, needles) => needles.every((needle) => haystack.includes(needle));

function list(kind, items) {
  return items.length ? el(kind, {}, ...items.map((item) => el("li", {}, item))) : null;
}

function terms(pairs) {
  const shown = pairs.filter(([, value]) => value !== null && value !== "");
  return el("dl", {}, ...shown.flatMap(([term, value]) => [el("dt", {}, term), el("dd", {}, value)]));
}
