// Time and pixels: the site's clock, zoom and pan, and the labels of both tiers of the axis.
// Moments are minutes since 1970 in UTC; "local" ones are the same count on the site's wall clock.

export const HOUR = 60;
export const DAY = 1440;

const CLOSEST = 8; // pixels per minute: a quarter of an hour is 120 px
const WIDEST_DAYS = 95;
const PADDING = 4;
const NARROW_DAY = 20;

export function makeClock(zone) {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
  });
  const known = new Map();

  function offset(minute) {
    const hour = Math.floor(minute / HOUR);
    let found = known.get(hour);
    if (found === undefined) {
      const part = {};
      for (const { type, value } of format.formatToParts(hour * 3600000)) part[type] = +value;
      const wall = Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute);
      found = wall / 60000 - hour * HOUR;
      known.set(hour, found);
    }
    return found;
  }

  return {
    local: (minute) => minute + offset(minute),
    // Where the clock is put forward, the moment after the gap.
    moment: (local) => local - offset(local - offset(local)),
  };
}

// What can be seen: begins at `start`, `perMinute` pixels a minute, `width` pixels.
export function makeScale(clock, start, days, width) {
  const scale = {
    start,
    width,
    perMinute: width / (days * DAY),
    get end() {
      return this.start + this.width / this.perMinute;
    },
    get days() {
      return this.width / this.perMinute / DAY;
    },
    get perDay() {
      return this.perMinute * DAY;
    },
    x(minute) {
      return (minute - this.start) * this.perMinute;
    },
    minute(x) {
      return this.start + x / this.perMinute;
    },
    pan(pixels) {
      this.start += pixels / this.perMinute;
    },
    zoom(factor, x) {
      const anchor = this.minute(x);
      const narrowest = this.width / (WIDEST_DAYS * DAY);
      this.perMinute = Math.min(CLOSEST, Math.max(narrowest, this.perMinute * factor));
      this.start = anchor - x / this.perMinute;
    },
    show(minute, share = 0.25) {
      this.start = minute - (share * this.width) / this.perMinute;
    },
    // So many days, from the beginning of the moment's day; of its hour where it is less than one.
    span(days, minute) {
      const unit = days < 1 ? HOUR : DAY;
      this.perMinute = this.width / (days * DAY);
      this.start = clock.moment(Math.floor(clock.local(minute) / unit) * unit);
    },
    resize(width) {
      if (width <= 0 || width === this.width) return;
      const shown = this.days;
      this.width = width;
      this.perMinute = width / (shown * DAY);
    },
  };
  return scale;
}

export function isoWeek(local) {
  const day = Math.floor(local / DAY);
  const thursday = day - ((((day + 3) % 7) + 7) % 7) + 3;
  const year = new Date(thursday * DAY * 60000).getUTCFullYear();
  return 1 + Math.floor((thursday - Date.UTC(year, 0, 1) / 86400000) / 7);
}

function weekStart(local) {
  const day = Math.floor(local / DAY);
  return (day - ((((day + 3) % 7) + 7) % 7)) * DAY;
}

function monthStart(local, ahead = 0) {
  const date = new Date(local * 60000);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + ahead, 1) / 60000;
}

const FLOOR = {
  hour: (local, step) => Math.floor(local / (step * HOUR)) * step * HOUR,
  day: (local) => Math.floor(local / DAY) * DAY,
  week: weekStart,
  month: (local) => monthStart(local),
};
const NEXT = {
  hour: (local, step) => local + step * HOUR,
  day: (local) => local + DAY,
  week: (local) => local + 7 * DAY,
  month: (local) => monthStart(local, 1),
};

// Which units the two tiers show, by the width of a day.
function tiersFor(perDay) {
  if (perDay >= 150) {
    const step = [1, 2, 3, 6, 12].find((hours) => (perDay / 24) * hours >= 44) ?? 12;
    return { major: ["day", 1, "fullDay"], minor: ["hour", step, "hour"] };
  }
  if (perDay >= NARROW_DAY) {
    const label = perDay >= 64 ? "weekday" : "dayNumber";
    return { major: ["week", 1, "week"], minor: ["day", 1, label] };
  }
  return { major: ["month", 1, "month"], minor: ["week", 1, "weekNumber"] };
}

export function makeLabels(language, words) {
  const make = (options) => {
    const format = new Intl.DateTimeFormat(language, { timeZone: "UTC", ...options });
    return (local) => format.format(local * 60000);
  };
  const month = make({ month: "long", year: "numeric" });
  const short = make({ month: "short", year: "numeric" });
  const week = (local) => words.week.replace("{number}", isoWeek(local));
  return {
    fullDay: make({ weekday: "short", day: "numeric", month: "short", year: "numeric" }),
    hour: make({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
    weekday: make({ weekday: "short", day: "numeric" }),
    dayNumber: (local) => String(new Date(local * 60000).getUTCDate()),
    month,
    week: (local) => `${week(local)} · ${short(local + 3 * DAY)}`,
    weekNumber: week,
    moment: make({
      weekday: "short",
      day: "numeric",
      month: "short",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    }),
  };
}

// Spans of one tier over what is visible: [x, x of the end, text].
function spans([unit, step, label], scale, clock, labels) {
  const found = [];
  let local = FLOOR[unit](clock.local(scale.start), step);
  while (true) {
    const next = NEXT[unit](local, step);
    const x = scale.x(clock.moment(local));
    if (x > scale.width) return found;
    found.push([x, scale.x(clock.moment(next)) - PADDING, labels[label](local)]);
    local = next;
  }
}

export function tiers(scale, clock, labels) {
  const { major, minor } = tiersFor(scale.perDay);
  return {
    major: spans(major, scale, clock, labels),
    minor: spans(minor, scale, clock, labels),
  };
}
