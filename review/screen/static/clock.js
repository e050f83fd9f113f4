// Active time on an item: while the page is visible, and at most so long after the last movement.

export const IDLE_MS = 30000;

export class ActiveClock {
  constructor(now) {
    this.visible = true;
    this.reset(now);
  }

  reset(now) {
    this.active = 0;
    this.last = now;
  }

  /** Note that the person did something. */
  touch(now) {
    if (this.visible) this.active += Math.min(now - this.last, IDLE_MS);
    this.last = now;
  }

  hide(now) {
    this.touch(now);
    this.visible = false;
  }

  show(now) {
    this.visible = true;
    this.last = now;
  }

  seconds(now) {
    this.touch(now);
    return Math.round(this.active / 10) / 100;
  }
}

/** Make a clock that watches this page. */
export function watchPage() {
  const clock = new ActiveClock(performance.now());
  for (const what of ["keydown", "pointerdown", "pointermove", "wheel", "touchmove", "scroll"]) {
    addEventListener(what, () => clock.touch(performance.now()), { passive: true, capture: true });
  }
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) clock.hide(performance.now());
    else clock.show(performance.now());
  });
  return clock;
}
