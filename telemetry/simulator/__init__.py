"""The demo factory's readings, as pure functions of absolute time.

Nothing here remembers anything: what a sensor reads at a moment depends on its address, the seed and the
moment alone. So history that is written afterwards and devices that publish now agree to the last digit, and
join without a jump on any day.

    noise.py     random numbers and curves that are functions of their position
    course.py    when a machine runs, rests, fails or is maintained
    signals.py   what one sensor reads, given its machine's course
    history.py   signals sampled into columns for the database
    devices.py   signals as MQTT messages, each with the moment at which it is due
"""
