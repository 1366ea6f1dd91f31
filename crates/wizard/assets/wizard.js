"use strict";
// Copying, counting down and looking again: everything else works without it.
(function () {
  var root = document.documentElement;
  root.classList.add("js");
  var csrf = document.body.getAttribute("data-csrf") || "";
  var status = document.getElementById("status");
  function tell(text) { if (status) { status.textContent = text; } }
  function each(selector, run) { Array.prototype.forEach.call(document.querySelectorAll(selector), run); }

  // A wizard ends by itself when nobody asks for anything. Whoever has its port then must not be sent
  // what is typed into a page that was left open.
  var idle = 1000 * Number(document.body.getAttribute("data-idle"));
  var seen = Date.now();
  function silence() { each("main button", function (button) { button.disabled = true; }); }
  function isOld() {
    if (!(Date.now() - seen >= idle)) { return false; }
    silence();
    each(".old", function (note) { note.classList.remove("old"); });
    return true;
  }
  if (idle > 0) {
    setInterval(isOld, 5000);
    document.addEventListener("submit", function (event) { if (isOld()) { event.preventDefault(); } }, true);
  }

  // A secret leaves the clipboard again when its time is over, on whichever page of ours somebody is by
  // then. Browsers let only a page in front do that, so it may take until somebody comes back.
  var due = "snowtoken-clipboard-due";
  var clearing = 0;
  var until = 0;
  // A browser may keep nothing for a page: then it is this page alone that clears.
  try { until = Number(sessionStorage.getItem(due)); } catch (nothing) { until = 0; }
  function keep(time) {
    until = time;
    try { sessionStorage.setItem(due, String(time)); } catch (nothing) { /* see above */ }
    watch();
  }
  function watch() {
    clearTimeout(clearing);
    // Whoever copies the address for this page, or comes back much later, has something else in there.
    if (document.getElementById("redirected") || Date.now() - until > 300000) { until = 0; }
    if (!until) { return; }
    clearing = setTimeout(function () {
      navigator.clipboard.writeText("").then(function () { keep(0); }).catch(function () {});
    }, Math.max(0, until - Date.now()));
  }
  watch();
  window.addEventListener("focus", watch);
  document.addEventListener("visibilitychange", watch);

  // A value that stands on the page, or one that the wizard hands out only for this.
  function value(button) {
    var text = button.getAttribute("data-copy");
    if (text !== null) { return Promise.resolve(text); }
    var body = "csrf=" + encodeURIComponent(csrf) + "&value=" + encodeURIComponent(button.getAttribute("data-value"));
    return fetch(button.getAttribute("data-from"), {
      method: "POST", body: body, cache: "no-store", credentials: "same-origin",
      headers: { "Content-Type": "application/x-www-form-urlencoded" }
    }).then(function (answer) { if (!answer.ok) { throw new Error("refused"); } return answer.text(); });
  }
  each("button[data-copy],button[data-value]", function (button) {
    var label = button.textContent;
    button.addEventListener("click", function () {
      value(button).then(function (text) {
        return navigator.clipboard.writeText(text).then(function () {
          button.textContent = button.getAttribute("data-done");
          tell(button.getAttribute("data-done"));
          var secret = button.hasAttribute("data-value");
          keep(secret ? Date.now() + 45000 : 0);
          setTimeout(function () { button.textContent = label; }, secret ? 45000 : 4000);
        });
      }).catch(function () { button.textContent = button.getAttribute("data-failed"); });
    });
  });

  // Whoever comes back from ServiceNow has a minute at most: a code begins to age when Allow is pressed,
  // so the count is never longer than what is left, give or take the way back.
  each("[data-countdown]", function (note) {
    var number = note.querySelector("[data-seconds]");
    var late = document.querySelector("[data-at-end]");
    var timer = 0;
    var away = false;
    document.querySelector("[data-opens]").addEventListener("click", function () {
      clearInterval(timer);
      note.hidden = late.hidden = away = true;
    });
    function count() {
      if (!away || document.hidden) { return; }
      away = false;
      var end = Date.now() + 1000 * Number(number.getAttribute("data-seconds"));
      function show() {
        var left = Math.max(0, Math.round((end - Date.now()) / 1000));
        number.textContent = String(left);
        late.hidden = left > 0;
        note.hidden = left === 0;
        if (left === 0) { clearInterval(timer); tell(late.textContent.replace(/^\W+/, "")); }
      }
      show();
      timer = setInterval(show, 500);
    }
    document.addEventListener("visibilitychange", count);
    window.addEventListener("focus", count);
  });

  // Looks again until something has changed, then opens the page anew.
  each("[data-look]", function (place) {
    var shown = place.getAttribute("data-seen");
    var lost = 0;
    (function look() {
      setTimeout(function () {
        fetch(place.getAttribute("data-look"), { cache: "no-store", credentials: "same-origin" })
          .then(function (answer) { if (!answer.ok) { throw new Error("gone"); } seen = Date.now(); lost = 0; return answer.json(); })
          .then(function (now) { if (now.seen !== shown) { location.reload(); } else { look(); } })
          .catch(function () {
            // A network that changes, a computer that wakes up: one miss is no loss.
            lost += 1;
            if (lost < 5) { look(); return; }
            silence();
            each("[data-at-loss]", function (note) { note.hidden = false; });
          });
      }, 1000);
    })();
  });

  // Browsers keep a page in memory for the way back, whatever is said of storing it: what was typed in
  // secret is gone from it by then.
  window.addEventListener("pagehide", function () {
    each("input[type=password]", function (input) { input.value = ""; });
  });

  // What is typed is looked at at once; the wizard looks again.
  each("input[data-check]", function (input) {
    var place = document.getElementById(input.getAttribute("aria-describedby").split(" ").pop());
    var rule = input.getAttribute("data-check");
    function check() {
      var text = input.value;
      var key = "";
      if (/^\s|\s$/.test(text) || (rule !== "secret" && /\s/.test(text.trim()))) { key = "blank"; }
      else if (rule === "client-id" && /^https?:/.test(text)) { key = "url"; }
      else if (rule === "secret" && /^[0-9a-f]{32}$/.test(text) && document.querySelector("[data-check=client-id]") &&
        document.querySelector("[data-check=client-id]").value === text) { key = "same"; }
      place.textContent = key ? place.getAttribute("data-" + key) : "";
    }
    input.addEventListener("input", check);
  });
})();
