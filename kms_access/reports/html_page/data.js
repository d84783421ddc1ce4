// The data of the page, and what is worked out from it. Numbers refer to the tables of the data.

const data = JSON.parse(document.getElementById("data").textContent);
const NOWHERE = -1;
const DENIED = data.states.indexOf("denied explicitly");
const RETIRE_GRANT = data.actions.indexOf("kms:RetireGrant");
const STATE_WORDS = [
  "allowed",
  "under a condition",
  "undecided",
  "if its account allows",
  "denied explicitly",
  "denied by default",
];
const LETTERS = {
  view: "v", encrypt: "e", decrypt: "d", sign: "s", verify: "y", mac: "m", derive: "r",
  grant: "g", administer: "a", delete: "x",
};

const text = (number) => data.texts[number];
const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

// Actions of a key by capability. Retiring a grant goes with being in a grant: to have the whole
// capability nobody needs it.
const possibleOf = new Map();
function possible(key) {
  const set = data.keys[key].possible;
  if (!possibleOf.has(set)) {
    const found = data.capabilities.map(() => []);
    for (const action of data.actionSets[set]) {
      if (action !== RETIRE_GRANT) found[data.capabilityOf[action]].push(action);
    }
    possibleOf.set(set, found);
  }
  return possibleOf.get(set);
}

const shownCapabilities = data.capabilities
  .map((_, capability) => capability)
  .filter((capability) => data.keys.some((_, key) => possible(key)[capability].length > 0));

// For each capability of a view: its best state, all states as bits, and whether all actions of the
// capability are in a state as good or no worse than denied. Undefined where there is nothing.
const summaries = new Map();
function summary(view, key) {
  const name = view * data.actionSets.length + data.keys[key].possible;
  let found = summaries.get(name);
  if (found === undefined) {
    found = summarized(view, possible(key));
    summaries.set(name, found);
  }
  return found;
}

function summarized(view, possibleActions) {
  const stateOf = new Map();
  for (const [state, set] of data.views[view]) {
    for (const action of data.actionSets[set]) stateOf.set(action, state);
  }
  const found = [];
  for (const [action, state] of stateOf) {
    const capability = data.capabilityOf[action];
    const one = (found[capability] ??= { state, states: 0, whole: false });
    one.state = Math.min(one.state, state);
    one.states |= 1 << state;
  }
  found.forEach((one, capability) => {
    one.whole = possibleActions[capability].every((action) => {
      const state = stateOf.get(action);
      return state !== undefined && (one.state >= DENIED || state < DENIED);
    });
  });
  return found;
}

// The view of each key in a row, NOWHERE where nothing is allowed or denied.
const rowViews = new Map();
function viewsOf(principal) {
  const row = data.principals[principal].row;
  let found = rowViews.get(row);
  if (found === undefined) {
    if (rowViews.size > 512) rowViews.clear();
    found = new Int32Array(data.keys.length).fill(NOWHERE);
    const cells = data.rows[row];
    for (let at = 0; at < cells.length; at += 2) {
      const runs = data.runs[cells[at + 1]];
      for (let run = 0; run < runs.length; run += 2) {
        found.fill(cells[at], runs[run], runs[run] + runs[run + 1]);
      }
    }
    rowViews.set(row, found);
  }
  return found;
}

const pairName = (principal, key) => `${principal} ${key}`;
function byPair(items) {
  const found = new Map();
  items.forEach((item, number) => {
    const name = pairName(item.principal, item.key);
    if (!found.has(name)) found.set(name, []);
    found.get(name).push(number);
  });
  return found;
}
const findingsByPair = byPair(data.findings);
const changesByPair = byPair(data.changes ?? []);
const findingsOn = (principal, key) => findingsByPair.get(pairName(principal, key)) ?? [];
const changesOn = (principal, key) => changesByPair.get(pairName(principal, key)) ?? [];

const findingsByField = { principal: new Map(), key: new Map() };
data.findings.forEach((finding, number) => {
  for (const [field, found] of Object.entries(findingsByField)) {
    if (!found.has(finding[field])) found.set(finding[field], []);
    found.get(finding[field]).push(number);
  }
});
const findingsOf = (field, number) => findingsByField[field].get(number) ?? [];

// "encrypt, decrypt; view in part under a condition", for those who do not see the letters.
function spoken(view, key) {
  if (view === NOWHERE) return "no access";
  const words = STATE_WORDS.map(() => []);
  summary(view, key).forEach((one, capability) => {
    words[one.state].push(data.capabilities[capability] + (one.whole ? "" : " in part"));
  });
  return words
    .map((list, state) => (list.length ? `${STATE_WORDS[state]}: ${list.join(", ")}` : ""))
    .filter(Boolean)
    .join("; ");
}

function hopsOf(view, key) {
  return data.views[view].map((evidence) =>
    evidence[2].map((hop) => data.hops[hop < 0 ? data.keys[key].hops[~hop] : hop]),
  );
}

// The name in the matrix, where equal names are told apart, or the one that the item brings along.
const nameOf = (table, number, otherwise) =>
  text(number === NOWHERE ? otherwise : data[table][number].name);
