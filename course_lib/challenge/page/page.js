// Fetches the leaderboard again and again; puts it in place, and says who leads, when it has changed.
"use strict";

const PAUSE = 3000; // milliseconds
const PATIENCE = 5000; // milliseconds after which a silent server counts as lost
const board = document.getElementById("board");
const live = document.getElementById("live");
const state = document.getElementById("state");
const rows = () => new Map([...board.querySelectorAll("tbody tr")].map((row) => [row.querySelector(".name").textContent, row]));
let shown = null;
let next = null;

function show(html) {
  const before = rows();
  board.innerHTML = html; // the server has escaped every text in it
  for (const [name, row] of rows()) {
    if (!before.has(name) || before.get(name).textContent !== row.textContent) row.classList.add("changed");
  }
  live.textContent = board.querySelector(".summary").textContent.trim();
}

async function look() {
  try {
    if (!document.hidden) {
      const answer = await fetch("board", { signal: AbortSignal.timeout(PATIENCE) });
      if (!answer.ok) throw new Error(answer.status);
      const html = await answer.text();
      if (shown !== null && shown !== html) show(html);
      shown = html;
      state.textContent = "Live";
      state.classList.remove("lost");
    }
  } catch {
    state.textContent = "No connection, trying again";
    state.classList.add("lost");
  }
  clearTimeout(next);
  next = setTimeout(look, PAUSE);
}

document.addEventListener("visibilitychange", look);
look();
