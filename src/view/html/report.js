"use strict";
(() => {
  const changes = [...document.querySelectorAll("details.change")];
  const texts = changes.map((change) => change.textContent.toLowerCase());
  const search = document.querySelector("#search");
  const shown = document.querySelector("#shown");
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    changes.forEach((change, at) => {
      change.hidden = !words.every((word) => texts[at].includes(word));
      count += change.hidden ? 0 : 1;
    });
    shown.textContent = words.length ? `${count} of ${changes.length}` : "";
  };
  search.addEventListener("input", filter);
  document.querySelector("#open").addEventListener("click", () => changes.forEach((change) => (change.open = !change.hidden)));
  document.querySelector("#fold").addEventListener("click", () => changes.forEach((change) => (change.open = false)));
})();
