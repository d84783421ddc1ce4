// The lists beside the matrix: findings, and what differs from the baseline.

const SHOWN_AT_ONCE = 200;

// A list that shows some hundred items and more of them on demand.
class LongList {
  constructor(make) {
    this.make = make;
    this.items = el("div", { class: "items" });
    this.more = el("button", { type: "button", onclick: () => this.grow() });
    this.element = el("div", {}, this.items, this.more);
  }

  show(numbers) {
    this.numbers = numbers;
    this.items.replaceChildren();
    this.grow();
  }

  grow() {
    const start = this.items.childElementCount;
    const next = this.numbers.slice(start, start + SHOWN_AT_ONCE);
    this.items.append(...next.map((number) => this.make(number)));
    const left = this.numbers.length - start - next.length;
    this.more.hidden = left === 0;
    this.more.textContent = `Show more, ${left} left`;
    if (!this.numbers.length) this.items.replaceChildren(el("p", { class: "empty" }, "Nothing to show."));
  }
}

// An item that is written when it is opened.
function folded(head, body) {
  const element = el("details", { class: "finding" }, el("summary", {}, ...head.filter(Boolean)));
  element.addEventListener("toggle", () => {
    if (element.open && element.childElementCount === 1) element.append(...body().filter(Boolean));
  });
  return element;
}

function shownInMatrix(item, showInMatrix) {
  if (item.principal === NOWHERE || item.key === NOWHERE) return null;
  const show = () => showInMatrix(item.principal, item.key);
  return el("button", { type: "button", onclick: show }, "Show in the matrix");
}

function findingsPart(showInMatrix) {
  const search = searchField("Text", "findings-text", "principal, key, words");
  const status = choice("Status", "findings-status", [
    ["", "all"],
    ["error", "errors"],
    ["warning", "warnings"],
    ["known", "in the baseline"],
    ["waived", "waived"],
  ]);
  const present = [...new Set(data.findings.map((finding) => finding.check))].sort();
  const check = choice("Check", "findings-check", [["", "all"], ...present.map((name) => [name, name])]);
  const result = el("p", { class: "result", role: "status" });
  const found = new LongList((number) => {
    const finding = data.findings[number];
    return folded(findingHead(finding), () => [findingBody(finding), shownInMatrix(finding, showInMatrix)]);
  });
  const haystacks = data.findings.map((finding) =>
    [finding.claim, finding.who, finding.keyName, finding.rule].map(text).join(" ").toLowerCase(),
  );
  const isShown = (finding) => {
    if (!status.input.value) return true;
    if (finding.status !== "open") return finding.status === status.input.value;
    return finding.level === status.input.value;
  };
  const update = () => {
    const needles = words(search.input.value);
    const numbers = data.findings.flatMap((finding, number) =>
      isShown(finding) &&
      (!check.input.value || finding.check === check.input.value) &&
      holdsAll(haystacks[number], needles)
        ? [number]
        : [],
    );
    result.textContent = `${numbers.length} of ${count(data.findings.length, "finding")}`;
    found.show(numbers);
  };
  for (const field of [search, status, check]) field.input.addEventListener("input", update);
  update();
  return [el("div", { class: "filters" }, search.field, status.field, check.field), result, found.element];
}

function changesPart(showInMatrix) {
  const search = searchField("Text", "changes-text", "principal or key");
  const what = choice("Difference", "changes-what", [
    ["", "all"],
    ["gained", "gained"],
    ["lost", "lost"],
    ["undecided", "undecided"],
  ]);
  const result = el("p", { class: "result", role: "status" });
  const found = new LongList((number) => {
    const change = data.changes[number];
    const capabilities = change.capabilities.map((capability) => data.capabilities[capability]).join(", ");
    const head = [
      badge(change.what, change.what),
      el("span", { class: "claim" }, `${nameOf("principals", change.principal, change.who)}: ${capabilities} on key ${nameOf("keys", change.key, change.keyName)}`),
    ];
    return folded(head, () => [changeBody(change), shownInMatrix(change, showInMatrix)]);
  });
  const haystacks = data.changes.map((change) =>
    [change.who, change.keyName].map(text).join(" ").toLowerCase(),
  );
  const update = () => {
    const needles = words(search.input.value);
    const numbers = data.changes.flatMap((change, number) =>
      (!what.input.value || change.what === what.input.value) && holdsAll(haystacks[number], needles)
        ? [number]
        : [],
    );
    result.textContent = `${numbers.length} of ${count(data.changes.length, "difference")}`;
    found.show(numbers);
  };
  for (const field of [search, what]) field.input.addEventListener("input", update);
  update();
  const open = data.notEvaluated.map((number) => `not evaluated: ${text(number)}`);
  return [el("div", { class: "filters" }, search.field, what.field), result, list("ul", open), found.element];
}
