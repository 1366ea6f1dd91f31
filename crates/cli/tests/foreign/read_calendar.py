"""What the icalendar package finds in a calendar file on standard input."""

import json
import sys

import icalendar


def seconds(moment):
    return int(moment.timestamp())


calendar = icalendar.Calendar.from_ical(sys.stdin.buffer.read())
events = []
for event in calendar.walk("VEVENT"):
    alarms = [
        {
            "at": seconds(time.trigger),
            "action": str(time.alarm["ACTION"]),
            "text": str(time.alarm["DESCRIPTION"]),
        }
        for time in event.alarms.times
    ]
    events.append(
        {
            "uid": str(event["UID"]),
            "summary": str(event["SUMMARY"]),
            "description": str(event["DESCRIPTION"]),
            "sequence": int(event["SEQUENCE"]),
            "start": seconds(event.start),
            "written": seconds(event["DTSTAMP"].dt),
            "alarms": sorted(alarms, key=lambda alarm: alarm["at"]),
        }
    )
errors = [str(error) for part in calendar.walk() for error in part.errors]
if errors:
    sys.exit(f"the calendar has errors: {errors}")
print(json.dumps({"version": str(calendar["VERSION"]), "events": events}))
