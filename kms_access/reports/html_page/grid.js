// The matrix: only what can be seen is in the page, and one cell of it takes the focus.

class Grid {
  constructor(element, open) {
    this.element = element;
    this.open = open;
    this.rows = [];
    this.keys = [];
    this.active = [1, 1];
    this.isDim = () => false;
    this.drawn = new Map();
    this.body = el("div", { role: "presentation", class: "body" });
    element.replaceChildren(this.body);
    element.addEventListener("scroll", () => this.draw(), { passive: true });
    element.addEventListener("keydown", (event) => this.pressed(event));
    element.addEventListener("click", (event) => this.clicked(event));
    document.addEventListener("layout", () => this.draw());
    new ResizeObserver(() => this.draw()).observe(element);
  }

  // `rows` are lists of principals with equal access; most have one member.
  show(rows, keys, isDim) {
    this.rows = rows;
    this.keys = keys;
    this.isDim = isDim;
    this.measure();
    this.element.setAttribute("aria-rowcount", rows.length + 1);
    this.element.setAttribute("aria-colcount", keys.length + 1);
    this.active = [Math.min(this.active[0], rows.length), Math.min(this.active[1], keys.length)];
    this.body.replaceChildren();
    this.drawn.clear();
    this.draw();
  }

  measure() {
    const style = getComputedStyle(this.element);
    const size = (name) => parseFloat(style.getPropertyValue(name));
    this.headHeight = size("--head-height");
    this.rowHeight = size("--row-height");
    this.nameWidth = size("--name-width");
    this.cellWidth = Math.max(size("--cell-least"), shownCapabilities.length * size("--chip-width") + 18);
    this.body.style.width = `${this.nameWidth + this.keys.length * this.cellWidth}px`;
    this.body.style.height = `${this.headHeight + this.rows.length * this.rowHeight}px`;
  }

  // Row 0 and column 0 are the headers; they and the active cell are always drawn.
  draw() {
    if (!this.rowHeight) return;
    const { scrollTop, scrollLeft, clientHeight, clientWidth } = this.element;
    const wanted = (start, size, step, number, active) => {
      const first = Math.max(1, Math.floor(start / step) - 1);
      const last = Math.min(number, Math.ceil((start + size) / step) + 2);
      const found = new Set([0, active]);
      for (let at = first; at <= last; at += 1) found.add(at);
      return [...found].sort((one, other) => one - other);
    };
    const rows = wanted(scrollTop, clientHeight, this.rowHeight, this.rows.length, this.active[0]);
    const columns = wanted(scrollLeft, clientWidth, this.cellWidth, this.keys.length, this.active[1]);
    this.keep(this.body, this.drawn, rows, (row) => this.row(row));
    for (const row of rows) {
      const { element, cells } = this.drawn.get(row);
      this.keep(element, cells, columns, (column) => ({ element: this.cell(row, column) }));
    }
  }

  // Draws what is wanted and not there, takes away what is not wanted, in the order of the numbers.
  keep(parent, drawn, wanted, make) {
    const left = new Set(wanted);
    for (const [number, { element }] of drawn) {
      if (!left.has(number)) {
        element.remove();
        drawn.delete(number);
      }
    }
    let previous = null;
    for (const number of wanted) {
      if (!drawn.has(number)) {
        const made = make(number);
        drawn.set(number, made);
        if (previous) previous.after(made.element);
        else parent.prepend(made.element);
      }
      previous = drawn.get(number).element;
    }
  }

  row(row) {
    const element = el("div", { role: "row", "aria-rowindex": row + 1, class: row ? "row" : "row head" });
    if (row) element.style.top = `${this.headHeight + (row - 1) * this.rowHeight}px`;
    return { element, cells: new Map() };
  }

  cell(row, column) {
    const element = this.content(row, column);
    element.dataset.at = `${row} ${column}`;
    element.setAttribute("aria-colindex", column + 1);
    element.tabIndex = row === this.active[0] && column === this.active[1] ? 0 : -1;
    if (column) {
      element.style.left = `${this.nameWidth + (column - 1) * this.cellWidth}px`;
      element.style.width = `${this.cellWidth}px`;
    }
    return element;
  }

  content(row, column) {
    if (!row && !column) return el("div", { role: "columnheader", class: "name" }, "Principal");
    if (!row) return keyHeader(this.keys[column - 1]);
    if (!column) return principalHeader(this.rows[row - 1]);
    return accessCell(this.rows[row - 1], this.keys[column - 1], this.isDim);
  }

  at(row, column) {
    return this.drawn.get(row)?.cells.get(column)?.element;
  }

  focus(row, column) {
    const before = this.at(...this.active);
    if (before) before.tabIndex = -1;
    this.active = [
      Math.max(0, Math.min(row, this.rows.length)),
      Math.max(0, Math.min(column, this.keys.length)),
    ];
    this.reveal(...this.active);
    this.draw();
    const element = this.at(...this.active);
    element.tabIndex = 0;
    element.focus({ preventScroll: true });
  }

  reveal(row, column) {
    const { element } = this;
    if (row) {
      const top = (row - 1) * this.rowHeight;
      const room = element.clientHeight - this.headHeight - this.rowHeight;
      element.scrollTop = Math.max(Math.min(element.scrollTop, top), top - room);
    }
    if (column) {
      const left = (column - 1) * this.cellWidth;
      const room = element.clientWidth - this.nameWidth - this.cellWidth;
      element.scrollLeft = Math.max(Math.min(element.scrollLeft, left), left - room);
    }
  }

  pressed(event) {
    if (event.altKey || event.metaKey) return;
    const [row, column] = this.active;
    const page = Math.max(1, Math.floor((this.element.clientHeight - this.headHeight) / this.rowHeight) - 1);
    const moves = {
      ArrowDown: [row + 1, column],
      ArrowUp: [row - 1, column],
      ArrowRight: [row, column + 1],
      ArrowLeft: [row, column - 1],
      PageDown: [row + page, column],
      PageUp: [Math.max(1, row - page), column],
      Home: event.ctrlKey ? [0, 0] : [row, 0],
      End: event.ctrlKey ? [this.rows.length, this.keys.length] : [row, this.keys.length],
    };
    if (event.key in moves) this.focus(...moves[event.key]);
    else if (event.key === "Enter" || event.key === " ") this.opened(row, column);
    else return;
    event.preventDefault();
  }

  clicked(event) {
    const cell = event.target.closest("[data-at]");
    if (!cell) return;
    const [row, column] = cell.dataset.at.split(" ").map(Number);
    this.focus(row, column);
    this.opened(row, column);
  }

  opened(row, column) {
    const leave = () => this.focus(row, column);
    this.open(row ? this.rows[row - 1] : null, column ? this.keys[column - 1] : NOWHERE, leave);
  }
}

function keyHeader(key) {
  const number = findingsOf("key", key).length;
  const name = text(data.keys[key].name);
  const label = number ? `key ${name}, ${count(number, "finding")}` : `key ${name}`;
  const element = el("div", { role: "columnheader", class: "key", title: name, "aria-label": label }, el("span", {}, name));
  if (number) element.append(badge("error small", String(number)));
  return element;
}

function principalHeader(members) {
  const principal = data.principals[members[0]];
  const name = text(principal.name);
  const more = members.length > 1 ? ` + ${members.length - 1} equal` : "";
  const about = [teamNames(principal).join(", "), principal.place === NOWHERE ? text(principal.kind) : placeText(principal.place)];
  return el(
    "div",
    { role: "rowheader", class: "name", title: `${name}${more}` },
    el("span", { class: "who" }, name, more ? el("b", {}, more) : ""),
    el("span", { class: "place" }, about.filter(Boolean).join(" · ")),
  );
}

function accessCell(members, key, isDim) {
  const [principal] = members;
  const view = viewsOf(principal)[key];
  const findings = findingsOn(principal, key);
  const changes = changesOn(principal, key).map((number) => data.changes[number].what);
  const label = [
    spoken(view, key),
    findings.length ? count(findings.length, "finding") : "",
    ...new Set(changes.map((what) => `${what} since the baseline`)),
  ];
  const spelled = label.filter(Boolean).join("; ");
  const open = findings.some((number) => data.findings[number].status === "open");
  const kind = findings.length ? (open ? " found" : " settled") : "";
  const element = el("div", { role: "gridcell", class: `cell${kind}`, "aria-label": spelled, title: spelled });
  const found = view === NOWHERE ? [] : summary(view, key);
  for (const capability of shownCapabilities) {
    const one = found[capability];
    const letter = LETTERS[data.capabilities[capability]];
    element.append(
      one ? chip(letter, one.state, one.whole, isDim(one, capability)) : el("span", { class: "chip none", "aria-hidden": "true" }, "·"),
    );
  }
  if (findings.length) element.append(el("span", { class: "mark", "aria-hidden": "true" }, String(findings.length)));
  if (changes.includes("gained")) element.append(el("span", { class: "mark gained", "aria-hidden": "true" }, "+"));
  if (changes.includes("lost")) element.append(el("span", { class: "mark lost", "aria-hidden": "true" }, "−"));
  return element;
}
