"""What devices send without any plant: the demo factory's, or a load of any size, with faults where they are wanted.

Nothing of the demo factory remembers anything: what a sensor reads at a moment depends on its address, the seed and
the moment alone. So history that is written afterwards and devices that publish now agree to the last digit, and
join without a jump on any day.

    noise.py       random numbers and curves that are functions of their position
    course.py      when a machine runs, rests, fails or is maintained
    signals.py     what one sensor reads, given its machine's course
    history.py     signals sampled into columns for the database
    devices.py     signals as what devices send, each with the moment at which it is due
    fleet.py       the same of a plant of any number of sensors
    drafts.py      the shapes on the way from there to the broker
    faults.py      what goes wrong with them
    forms.py       drafts as MQTT messages
    tally.py       counts of what was sent, and of what InQube should make of it
    connection.py  publishes them with paho
    inventory.py   makes the fleet's plant in the database
"""
