// Says that the figures are old: the service's beat has not changed for five seconds, whoever is to blame.
(() => {
  const LIMIT_MS = 5000;
  let seen = null, at = Date.now(), since = "";
  setInterval(() => {
    const beat = document.querySelector("[data-beat]");
    const note = document.getElementById("stale");
    if (!beat || !note) return;
    if (beat.dataset.beat !== seen) {
      seen = beat.dataset.beat;
      at = Date.now();
      since = beat.textContent;
    }
    const stale = Date.now() - at > LIMIT_MS;
    if (stale === document.body.classList.contains("stale")) return;
    document.body.classList.toggle("stale", stale);
    note.textContent = stale ? note.dataset.words.replace("{time}", since) : "";
  }, 500);
})();
