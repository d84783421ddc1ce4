// The panel beside the matrix: the proof of a cell, a principal, a key.

const details = document.getElementById("details");
let leaveDetails = () => {};

function openDetails(title, children, leave) {
  const heading = el("h2", { id: "details-title", tabindex: "-1" }, title);
  const close = el("button", { type: "button", class: "close", onclick: closeDetails }, "Close");
  details.replaceChildren(
    el("div", { class: "details-head" }, heading, close),
    ...children.filter((child) => child !== null),
  );
  leaveDetails = leave;
  details.hidden = false;
  details.scrollTop = 0;
  heading.focus({ preventScroll: true });
  document.dispatchEvent(new Event("layout"));
}

function closeDetails() {
  details.hidden = true;
  document.dispatchEvent(new Event("layout"));
  leaveDetails();
}

details.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    event.stopPropagation();
    closeDetails();
  }
});

function hopList(hops) {
  if (!hops.length) return null;
  return el("ol", { class: "hops" }, ...hops.map(([words, at]) => el("li", {}, text(words), place(at))));
}

function actionList(set) {
  return data.actionSets[set].map((action) => data.actions[action]).join(", ");
}

function evidence(one, hops) {
  const [state, set, , condition, example, reasons] = one;
  return el(
    "section",
    { class: "evidence" },
    el("h4", {}, badge(`s${state}`, STATE_WORDS[state]), el("span", { class: "actions" }, actionList(set))),
    text(condition) ? el("p", { class: "condition" }, `if ${text(condition)}`) : null,
    text(example) ? el("p", {}, `for example with ${text(example)}`) : null,
    list("ul", reasons.map((reason) => `open: ${text(reason)}`)),
    hopList(hops),
  );
}

function nothingElse(view, key) {
  const told = new Set(view === NOWHERE ? [] : data.views[view].flatMap((one) => data.actionSets[one[1]]));
  const left = data.actionSets[data.keys[key].possible].filter((action) => !told.has(action));
  if (!left.length) return null;
  const names = left.map((action) => data.actions[action]).join(", ");
  return el(
    "details",
    { class: "evidence", open: told.size === 0 },
    el("summary", {}, badge("s5", STATE_WORDS[5]), count(left.length, "action")),
    el("p", {}, "Nothing in the definitions allows these:"),
    el("p", { class: "actions" }, names),
  );
}

function findingBody(finding) {
  return el(
    "div",
    { class: "finding-body" },
    terms([
      ["who", finding.whoPlace === NOWHERE ? text(finding.who) : joined(text(finding.who), finding.whoPlace)],
      ["can", text(finding.actions)],
      ["when", text(finding.when)],
      ["for example", text(finding.example)],
      ["key", finding.keyPlace === NOWHERE ? text(finding.keyName) : joined(text(finding.keyName), finding.keyPlace)],
    ]),
    hopList(finding.hops.map((hop) => data.hops[hop])),
    list("ul", finding.notes.map(text)),
    terms([
      ["rule", text(finding.rule)],
      ["fix", text(finding.fix)],
      ["waived", finding.waiver === undefined ? "" : text(finding.waiver)],
      ["fingerprint", finding.fingerprint],
    ]),
  );
}

const joined = (words, at) => el("span", {}, words, " ", place(at));

function findingHead(finding) {
  return [
    badge(finding.level, finding.level),
    finding.status === "open" ? null : badge("status", finding.status === "known" ? "in the baseline" : "waived"),
    el("span", { class: "check", title: data.checks[finding.check] }, finding.check),
    el("span", { class: "claim" }, text(finding.claim)),
  ];
}

function findingSections(numbers) {
  if (!numbers.length) return [];
  const shown = numbers.slice(0, 50).map((number) => {
    const finding = data.findings[number];
    return el("section", { class: "finding" }, el("h4", {}, ...findingHead(finding).filter(Boolean)), findingBody(finding));
  });
  const left = numbers.length - shown.length;
  return [
    el("h3", {}, count(numbers.length, "finding")),
    ...shown,
    left ? el("p", {}, `${left} more stand in the list of findings`) : null,
  ];
}

function changeBody(change) {
  return el(
    "div",
    { class: "finding-body" },
    terms([
      [change.what === "lost" ? "could" : "can", text(change.actions)],
      ["when", text(change.when)],
      [change.what === "lost" ? "now" : "was", text(change.was)],
      ["by", text(change.way)],
    ]),
    hopList(change.hops.map((hop) => data.hops[hop])),
  );
}

function changeSections(numbers) {
  return numbers.map((number) => {
    const change = data.changes[number];
    return el(
      "section",
      { class: "finding" },
      el("h4", {}, badge(change.what, change.what), " since the baseline"),
      changeBody(change),
    );
  });
}

function showCell(members, key, leave) {
  const content = el("div", {});
  const show = (principal) => {
    const view = viewsOf(principal)[key];
    const hops = view === NOWHERE ? [] : hopsOf(view, key);
    content.replaceChildren(
      ...[
        ...findingSections(findingsOn(principal, key)),
        ...changeSections(changesOn(principal, key)),
        el("h3", {}, "Access"),
        ...(view === NOWHERE ? [] : data.views[view].map((one, at) => evidence(one, hops[at]))),
        nothingElse(view, key),
      ].filter((child) => child !== null),
    );
  };
  show(members[0]);
  const name = text(data.principals[members[0]].name);
  const others = members.length > 1 ? ` and ${members.length - 1} with equal access` : "";
  openDetails(
    `${name}${others} and key ${text(data.keys[key].name)}`,
    [members.length > 1 ? memberChoice(members, show) : null, content],
    leave,
  );
}

function memberChoice(members, show) {
  const options = members.map((member) => [member, text(data.principals[member].name)]);
  const { field, input } = choice("Proof of", "member", options);
  input.addEventListener("change", () => show(Number(input.value)));
  return field;
}

const teamNames = (principal) => [
  ...principal.teams.map((team) => text(data.teams[team])),
  ...principal.perhaps.map((team) => `${text(data.teams[team])} (perhaps)`),
];

function showPrincipals(members, leave) {
  const [first] = members;
  const principal = data.principals[first];
  const others = members.slice(1, 501).map((member) => text(data.principals[member].name));
  if (members.length > 501) others.push(`and ${members.length - 501} more`);
  openDetails(
    text(principal.name),
    [
      terms([
        ["kind", text(principal.kind)],
        ["arn", text(principal.arn)],
        ["defined", place(principal.place)],
        ["teams", teamNames(principal).join(", ")],
      ]),
      others.length ? el("h3", {}, `${count(members.length - 1, "principal")} with equal access`) : null,
      list("ul", others),
      ...findingSections(findingsOf("principal", first)),
    ],
    leave,
  );
}

function showKey(key, leave) {
  const one = data.keys[key];
  openDetails(
    `key ${text(one.name)}`,
    [
      terms([
        ["arn", text(one.arn)],
        ["aliases", one.aliases.map(text).join(", ")],
        ["kind", text(one.what)],
        ["defined", place(one.place)],
      ]),
      ...findingSections(findingsOf("key", key)),
    ],
    leave,
  );
}
