// What the pages can do besides showing: times in the reader's zone, players that follow, copying, reloading.
// Without this script every page is complete, and the players are the browser's own.
"use strict";

const clock = (seconds) => {
  const whole = Math.floor(seconds), pad = (value) => String(value).padStart(2, "0");
  const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
  return hours ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
};

function showLocalTimes() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone || zone === "UTC" || zone === "Etc/UTC") return;
  const short = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const long = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const day = new Intl.DateTimeFormat("en-CA", { year: "numeric", month: "2-digit", day: "2-digit" });
  for (const time of document.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    const local = document.createElement("span");
    const isSameDay = day.format(moment) === time.dateTime.slice(0, 10);
    local.className = "zone";
    local.textContent = ` (${(isSameDay ? short : long).format(moment)})`;
    time.after(local);
  }
  for (const note of document.querySelectorAll("footer .zone")) note.textContent = `; in brackets: ${zone}`;
}

const startOf = (player) => Number(/#t=([\d.]+)/.exec(player.src)?.[1] ?? 0);

// One MP3 of a recording: its two players, its waveform and its transcript share one position.
class Mp3 {
  constructor(article) {
    this.players = [...article.querySelectorAll("audio")];
    this.lines = [...article.querySelectorAll(".lines li")];
    this.list = article.querySelector(".lines");
    this.figure = article.querySelector(".waveform");
    this.current = this.players[0];
    for (const player of this.players) this.listen(player);
    if (this.figure && this.current) this.makeSeekable();
    for (const link of article.querySelectorAll("[data-start]")) {
      const start = Number(link.dataset.start), target = link.matches("a") ? link : link.querySelector("a");
      target.addEventListener("click", (event) => {
        if (!this.current || event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        this.playAt(start);
      });
    }
  }

  listen(player) {
    player.addEventListener("play", () => {
      const previous = this.current;
      for (const other of document.querySelectorAll("audio")) if (other !== player) other.pause();
      if (previous !== player && previous.currentTime > 0) this.seek(player, previous.currentTime);
      this.current = player;
    });
    for (const name of ["timeupdate", "seeked", "loadedmetadata"]) {
      player.addEventListener(name, () => player === this.current && this.show(player.currentTime));
    }
  }

  seek(player, seconds) {
    if (player.readyState > 0) player.currentTime = seconds;
    else {
      player.addEventListener("loadedmetadata", () => { player.currentTime = seconds; }, { once: true });
      if (player.paused) player.load();  // to load again would stop one that is about to play
    }
  }

  playAt(seconds) {
    this.seek(this.current, seconds);
    this.show(seconds);
    this.current.play().catch(() => {});
  }

  makeSeekable() {
    const svg = this.figure.querySelector("svg");
    this.seconds = Number(this.figure.dataset.seconds);
    this.playhead = this.figure.querySelector(".playhead");
    this.figure.classList.add("seekable");
    svg.removeAttribute("aria-hidden");
    svg.tabIndex = 0;
    for (const [name, value] of Object.entries({
      role: "slider", "aria-label": "Position in the waveform", "aria-valuemin": 0, "aria-valuemax": Math.round(this.seconds),
    })) svg.setAttribute(name, value);
    svg.addEventListener("click", (event) => {
      const box = svg.getBoundingClientRect();
      this.playAt(Math.max(0, (event.clientX - box.left) / box.width) * this.seconds);
    });
    svg.addEventListener("keydown", (event) => this.move(event));
    this.slider = svg;
    this.show(startOf(this.current));
  }

  move(event) {
    const at = this.current.currentTime;
    const targets = {
      ArrowRight: at + 5, ArrowUp: at + 5, ArrowLeft: at - 5, ArrowDown: at - 5,
      PageUp: at + 60, PageDown: at - 60, Home: 0, End: this.seconds - 1,
    };
    if (event.key in targets) {
      this.seek(this.current, Math.min(Math.max(0, targets[event.key]), this.seconds));
      this.show(Math.min(Math.max(0, targets[event.key]), this.seconds));
    } else if (event.key === " " || event.key === "Enter") {
      if (this.current.paused) this.current.play().catch(() => {}); else this.current.pause();
    } else return;
    event.preventDefault();
  }

  show(seconds) {
    if (this.slider) {
      this.playhead.hidden = false;
      this.playhead.style.left = `${Math.min(1, seconds / this.seconds) * 100}%`;
      this.slider.setAttribute("aria-valuenow", Math.round(seconds));
      this.slider.setAttribute("aria-valuetext", `${clock(seconds)} of ${clock(this.seconds)}`);
    }
    const now = this.lines.find((line) => Number(line.dataset.start) <= seconds && seconds < Number(line.dataset.end));
    if (!now || now === this.line) return;
    if (this.line) this.line.classList.remove("now");
    for (const line of this.lines) line.classList.toggle("now", line === now);
    this.line = now;
    if (!this.list.contains(document.activeElement) || document.activeElement === this.list) {
      this.list.scrollTop = now.offsetTop - this.list.clientHeight / 3;
    }
  }
}

function addCopyButtons() {
  for (const command of document.querySelectorAll(".command")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(command.textContent);
        button.textContent = "Copied";
      } catch {
        const range = document.createRange();
        range.selectNodeContents(command);
        getSelection().removeAllRanges();
        getSelection().addRange(range);
        button.textContent = "Press Ctrl+C";
      }
    });
    command.after(" ", button);
  }
}

// A page that waits for the archive to be read asks again, and takes the new content unless the reader is in it.
async function refresh() {
  if (!document.querySelector("[data-refresh]")) return;
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const main = document.querySelector("main");
  if (!main.contains(document.activeElement) || document.activeElement === main) {
    const answer = await fetch(location.href).catch(() => null);
    if (answer && answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      main.replaceChildren(...page.querySelector("main").childNodes);
      showLocalTimes();
    }
  }
  refresh();
}

showLocalTimes();
addCopyButtons();
for (const article of document.querySelectorAll("article.audio")) new Mp3(article);
refresh();
