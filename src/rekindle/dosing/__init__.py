"""Dosing: what is given, how and when, as values. It knows drugs and routes and no equation.

A `Course` comes from a sentence (`parse`) or from Python (`give`, `then`, `+`), and goes to administrations or to
an `EventTable`. Everything else reads one of these.
"""

from rekindle.dosing.administration import Administration
from rekindle.dosing.course import Course
from rekindle.dosing.course_table import COMPARTMENTS, administrations_of
from rekindle.dosing.drugs import DRUGS, Drug
from rekindle.dosing.event import Event
from rekindle.dosing.event_reader import read_events
from rekindle.dosing.event_table import EventTable, join
from rekindle.dosing.event_writer import events_csv, write_events
from rekindle.dosing.expansion import Intake, expand
from rekindle.dosing.label import Note, label_notes
from rekindle.dosing.language import parse
from rekindle.dosing.line import Line, Session
from rekindle.dosing.mistakes import SentenceError
from rekindle.dosing.regimen import Dose, Regimen, Step, give
from rekindle.dosing.routes import ROUTES, Route
from rekindle.dosing.timing import Every, OnDays, Weekly, daily, every, on_days, once, times_a_week, weekly
from rekindle.dosing.weights import Body

__all__ = [
    "COMPARTMENTS",
    "DRUGS",
    "ROUTES",
    "Administration",
    "Body",
    "Course",
    "Dose",
    "Drug",
    "Event",
    "EventTable",
    "Every",
    "Intake",
    "Line",
    "Note",
    "OnDays",
    "Regimen",
    "Route",
    "SentenceError",
    "Session",
    "Step",
    "Weekly",
    "administrations_of",
    "daily",
    "events_csv",
    "every",
    "expand",
    "give",
    "join",
    "label_notes",
    "on_days",
    "once",
    "parse",
    "read_events",
    "times_a_week",
    "weekly",
    "write_events",
]
