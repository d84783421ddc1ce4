// The parts of the page, the filters of the matrix, and how one leads to another.

const RESULT_WORDS = {
  proven: "proven: nothing breaks a rule",
  violated: "violated: findings block",
  undecided: "undecided: open questions block",
};

function summaryPart() {
  const open = data.findings.filter((finding) => finding.status === "open").length;
  const counted = (status) => data.findings.filter((finding) => finding.status === status).length;
  const numbers = [
    count(data.keys.length, "key"),
    count(data.principals.length, "principal"),
    count(open, "finding"),
    counted("known") ? `${counted("known")} in the baseline` : "",
    counted("waived") ? `${counted("waived")} waived` : "",
    data.silenced ? `${data.silenced} off by the rules file` : "",
  ];
  const rules =
    data.rules === null
      ? "no rules file: built-in checks only"
      : `${text(data.rules)}, SHA-256 ${data.digest}`;
  const about = [
    ["rules", rules],
    ["the matrix", "is access without a detour; what somebody can obtain by a detour, such as assuming a role or rewriting a policy, stands in the findings where no rule allows it"],
    ["no rule for", data.keysWithoutRule.map(text).join(", ")],
    ["not evaluated", list("ul", data.notCovered.map(([at, why]) => `${text(at)}: ${text(why)}`))],
    ["made by", data.tool],
  ];
  return [
    el("p", {}, badge(`result ${data.result}`, RESULT_WORDS[data.result]), " ", numbers.filter(Boolean).join(", ")),
    el("details", { class: "about" }, el("summary", {}, "What was judged"), terms(about)),
  ];
}

function legend() {
  const letters = shownCapabilities.map((capability) => {
    const name = data.capabilities[capability];
    return el("span", {}, el("b", {}, LETTERS[name].toUpperCase()), ` ${name}`);
  });
  const states = STATE_WORDS.slice(0, 5).map((words, state) => el("span", {}, chip("a", state, true), ` ${words}`));
  return el(
    "p",
    { class: "legend" },
    ...letters,
    el("span", {}, el("b", {}, "E"), " all its actions, ", el("b", {}, "e"), " some of them"),
    ...states,
    el("span", {}, el("span", { class: "mark" }, "2"), " findings"),
  );
}

// Which capabilities of a cell fit the filters, and whether a cell does.
function cellFilter(filters) {
  const capability = filters.capability.input.value === "" ? NOWHERE : Number(filters.capability.input.value);
  const state = filters.state.input.value === "" ? NOWHERE : Number(filters.state.input.value);
  const fits = (one, number) =>
    (capability === NOWHERE || number === capability) &&
    (state === NOWHERE ? one.state < DENIED : one.states & (1 << state)) !== 0 &&
    (state !== NOWHERE || one.state < DENIED);
  const isOpen = capability === NOWHERE && state === NOWHERE;
  const remembered = new Map();
  const holds = (view, key) => {
    if (isOpen) return true;
    if (view === NOWHERE) return false;
    const name = view * data.actionSets.length + data.keys[key].possible;
    if (!remembered.has(name)) remembered.set(name, summary(view, key).some(fits));
    return remembered.get(name);
  };
  return { holds, isOpen, isDim: (one, number) => !isOpen && !fits(one, number) };
}

function principalNumbers(filters) {
  const needles = words(filters.principal.input.value);
  const team = filters.team.input.value;
  return data.principals.flatMap((principal, number) => {
    const teams = [...principal.teams, ...principal.perhaps];
    const isIn = team === "" || (team === "none" ? !teams.length : teams.includes(Number(team)));
    return isIn && holdsAll(principalHaystacks[number], needles) ? [number] : [];
  });
}

const principalHaystacks = data.principals.map((principal) =>
  [text(principal.name), text(principal.arn), text(principal.kind), placeText(principal.place), ...teamNames(principal)]
    .join(" ")
    .toLowerCase(),
);
const keyHaystacks = data.keys.map((key) =>
  [text(key.name), text(key.arn), ...key.aliases.map(text), placeText(key.place)].join(" ").toLowerCase(),
);

function filtered(filters) {
  const needles = words(filters.key.input.value);
  const keys = data.keys.flatMap((_, number) => (holdsAll(keyHaystacks[number], needles) ? [number] : []));
  const principals = principalNumbers(filters);
  const cell = cellFilter(filters);
  const onlyFindings = filters.findings.input.checked;
  if (cell.isOpen && !onlyFindings) return { principals, keys, cell };
  const usedKeys = new Set(onlyFindings ? keys.filter((key) => findingsOn(NOWHERE, key).length) : []);
  const usedPrincipals = principals.filter((principal) => {
    if (onlyFindings && !findingsOf("principal", principal).length) return false;
    const views = viewsOf(principal);
    let used = onlyFindings && cell.isOpen && findingsOn(principal, NOWHERE).length > 0;
    for (const key of keys) {
      if (cell.holds(views[key], key) && (!onlyFindings || findingsOn(principal, key).length)) {
        usedKeys.add(key);
        used = true;
      }
    }
    return used;
  });
  return { principals: usedPrincipals, keys: keys.filter((key) => usedKeys.has(key)), cell };
}

// Principals with the same access in the same teams stand together, unless a finding tells one.
function grouped(principals, together) {
  if (!together) return principals.map((principal) => [principal]);
  const groups = new Map();
  for (const number of principals) {
    const principal = data.principals[number];
    const isTold = findingsOf("principal", number).length > 0;
    const name = isTold ? `only ${number}` : `${principal.alike} ${principal.teams} ${principal.perhaps}`;
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(number);
  }
  return [...groups.values()];
}

function matrixPart() {
  const filters = {
    principal: searchField("Principal", "filter-principal", "name, ARN, stack"),
    key: searchField("Key", "filter-key", "name, ARN, alias"),
    team: choice("Team", "filter-team", [
      ["", "all"],
      ...data.teams.map((name, team) => [team, text(name)]),
      ["none", "in no team"],
    ]),
    capability: choice("Capability", "filter-capability", [
      ["", "all"],
      ...shownCapabilities.map((capability) => [capability, data.capabilities[capability]]),
    ]),
    state: choice("State", "filter-state", [["", "any access"], ...STATE_WORDS.slice(0, 5).map((word, state) => [state, word])]),
    findings: checkbox("Only findings", "filter-findings"),
    together: checkbox("Group equal principals", "filter-together"),
  };
  const result = el("p", { class: "result", role: "status" });
  const element = el("div", { role: "grid", class: "grid", "aria-label": "Access of principals to keys", "aria-describedby": "grid-help" });
  const help = el("p", { id: "grid-help", class: "hint" }, "Arrow keys move, Enter opens the proof, Escape leads back.");
  const grid = new Grid(element, (members, key, leave) => {
    if (members && key !== NOWHERE) showCell(members, key, leave);
    else if (members) showPrincipals(members, leave);
    else if (key !== NOWHERE) showKey(key, leave);
  });
  const update = () => {
    const { principals, keys, cell } = filtered(filters);
    const rows = grouped(principals, filters.together.input.checked);
    grid.show(rows, keys, cell.isDim);
    const groups = rows.length === principals.length ? "" : ` in ${count(rows.length, "row")}`;
    result.textContent =
      `${principals.length.toLocaleString("en")} of ${count(data.principals.length, "principal")}${groups}, ` +
      `${keys.length.toLocaleString("en")} of ${count(data.keys.length, "key")}`;
  };
  const fields = Object.values(filters);
  for (const { input } of fields) input.addEventListener("input", update);
  const reset = () => {
    for (const { input } of fields) {
      if (input.type === "checkbox") input.checked = false;
      else input.value = "";
    }
    update();
  };
  const clear = el("button", { type: "button", id: "filter-reset", onclick: reset }, "Reset");
  const show = (principal, key) => {
    reset();
    grid.focus(principal + 1, key + 1);
  };
  const children = [
    el("div", { class: "filters" }, ...fields.map(({ field }) => field), clear),
    legend(),
    el("div", { class: "line" }, result, help),
    data.keys.length ? null : el("p", { class: "empty" }, "No KMS key is in the definitions."),
    element,
  ];
  return { children: children.filter(Boolean), update, show };
}

function start() {
  document.getElementById("summary").append(...summaryPart());
  const matrix = matrixPart();
  const showInMatrix = (principal, key) => {
    select(0);
    matrix.show(principal, key);
  };
  const parts = [
    ["matrix", "Matrix", matrix.children],
    ["findings", `Findings (${data.findings.length})`, findingsPart(showInMatrix)],
  ];
  if (data.changes !== null) {
    parts.push(["changes", `Since the baseline (${data.changes.length})`, changesPart(showInMatrix)]);
  }
  const tabs = parts.map(([id, label], number) =>
    el("button", { type: "button", role: "tab", id: `tab-${id}`, "aria-controls": `part-${id}`, onclick: () => select(number) }, label),
  );
  const panels = parts.map(([id, , children]) =>
    el("section", { role: "tabpanel", id: `part-${id}`, class: `part ${id}`, "aria-labelledby": `tab-${id}` }, ...children.filter(Boolean)),
  );
  function select(chosen) {
    tabs.forEach((tab, number) => {
      tab.setAttribute("aria-selected", number === chosen);
      tab.tabIndex = number === chosen ? 0 : -1;
      panels[number].hidden = number !== chosen;
    });
    document.dispatchEvent(new Event("layout"));
  }
  const tabList = document.getElementById("tabs");
  tabList.append(...tabs);
  tabList.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = (tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length;
    select(next);
    tabs[next].focus();
  });
  document.getElementById("main").append(...panels);
  select(0);
  matrix.update();
}

start();
