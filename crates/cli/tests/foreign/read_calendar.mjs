// What ical.js, the reader that Thunderbird uses, finds in a calendar file on standard input.
import fs from 'node:fs';
import ICAL from 'ical.js';

ICAL.design.strict = true;
const calendar = new ICAL.Component(ICAL.parse(fs.readFileSync(0, 'utf8')));

const seconds = (time) => time.toUnixTime();

const events = calendar.getAllSubcomponents('vevent').map((component) => {
  const event = new ICAL.Event(component);
  return {
    uid: event.uid,
    summary: event.summary,
    description: event.description,
    sequence: event.sequence,
    start: seconds(event.startDate),
    written: seconds(component.getFirstPropertyValue('dtstamp')),
    alarms: component.getAllSubcomponents('valarm').map((alarm) => {
      const at = event.startDate.clone();
      at.addDuration(alarm.getFirstPropertyValue('trigger'));
      return {
        at: seconds(at),
        action: alarm.getFirstPropertyValue('action'),
        text: alarm.getFirstPropertyValue('description'),
      };
    }),
  };
});
fs.writeSync(1, `${JSON.stringify({ version: calendar.getFirstPropertyValue('version'), events })}\n`);
