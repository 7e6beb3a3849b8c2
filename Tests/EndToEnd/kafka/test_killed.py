# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""Thirty kills during a hundred thousand messages: none lost, and duplicates within the bound.

The broker is the client library's own, in this process; it keeps five megabytes of a partition, which is why there are several topics. HYDRO_KAFKA_MESSAGES makes it shorter for a first look.
"""

import collections
import json
import os
import random
import threading
import time

from broker import MockBroker
from cluster import ApiServer, Gateway

MESSAGES = int(os.environ.get("HYDRO_KAFKA_MESSAGES", "100000"))
KILLS = 30
LANES = 5          # consumer groups, each with a topic and two replicas of the gateway, so that kills need not wait for each other
PARTITIONS = 4
IN_FLIGHT = 64     # of one replica: what it may leave to be done again when it is killed
SESSION = 4        # seconds until the group gives a dead member's partitions to others


def entry(broker, lane):
    """An entry of the application for one lane."""
    return {"bootstrapServers": broker.address, "sourceTopic": f"in-{lane}", "destinationTopic": f"out-{lane}",
            "consumerGroup": f"lane-{lane}"}


class Lane:
    """Two replicas on one group, one of which is killed again and again."""

    def __init__(self, number, api, folder, seed):
        self.kills, self._random = 0, random.Random(seed)
        self.replicas = [Gateway(api, folder / f"gateway-{number}-{each}.log", kafka_session=f"{SESSION}s", kafka_in_flight=IN_FLIGHT)
                         for each in range(2)]
        self.over = threading.Event()

    def hunt(self, kills):
        """Kills one that is at work, at a random moment of its work, and starts it again at once."""
        while self.kills < kills and not self.over.wait(self._random.uniform(0.1, 1.5)):
            working = [each for each in self.replicas if any(one.get("inFlight") for one in each.entries())]
            if not working:
                continue
            victim = self._random.choice(working)
            victim.kill()
            self.kills += 1
            victim.start()


def test_a_gateway_killed_thirty_times_loses_no_message(tmp_path, model):
    broker, apis, lanes = MockBroker(), [], []
    try:
        for number in range(LANES):
            broker.make(f"in-{number}", f"out-{number}", partitions=PARTITIONS)
            folder = tmp_path / f"api-{number}"
            folder.mkdir()
            apis.append(ApiServer(folder, model.port).__enter__())
            apis[-1].serve(entry(broker, number))
            lanes.append(Lane(number, apis[-1], tmp_path, seed=number))
        outcome = run(broker, lanes)
    finally:
        for lane in lanes:
            lane.over.set()
            for replica in lane.replicas:
                replica.kill()
        for api in apis:
            api.__exit__()
    print(json.dumps(outcome))
    assert outcome["kills"] == KILLS
    assert outcome["lost"] == 0 and outcome["wrong"] == 0
    assert outcome["duplicates"] <= KILLS * IN_FLIGHT
    assert outcome["out of order"] == 0


def run(broker, lanes):
    """Feeds the messages while replicas are killed, waits for every result, and counts."""
    begun = time.monotonic()
    share = MESSAGES // LANES
    for lane in lanes:
        for replica in lane.replicas:
            replica.start()
    for lane in lanes:
        lane.replicas[0].wait_state("Consuming", 60)
    hunters = [threading.Thread(target=lane.hunt, args=(KILLS // LANES,)) for lane in lanes]
    feeders = [threading.Thread(target=feed, args=(broker, number, share)) for number in range(LANES)]
    tallies = [Tally(broker, number, share) for number in range(LANES)]
    for thread in feeders:
        thread.start()
    for thread in feeders:
        thread.join()
    readers = [threading.Thread(target=tally.follow, args=(90,)) for tally in tallies]
    for thread in hunters + readers:
        thread.start()
    for thread in readers:
        thread.join()
    for lane in lanes:
        lane.over.set()
    for thread in hunters:
        thread.join()
    return {"messages": share * LANES, "kills": sum(lane.kills for lane in lanes), "lost": sum(each.lost for each in tallies),
            "wrong": sum(each.wrong for each in tallies), "duplicates": sum(each.duplicates for each in tallies),
            "bound": KILLS * IN_FLIGHT, "out of order": sum(each.swapped for each in tallies),
            "seconds": round(time.monotonic() - begun, 1)}


def feed(broker, number, share):
    """Writes the messages."""
    producer = broker.producer()
    for each in range(share):
        producer.produce(f"in-{number}", json.dumps({"x": each}).encode(), f"key-{each % 97}".encode())
        if each % 100 == 99:
            producer.poll(0)
    assert producer.flush(60) == 0


class Tally:
    """What came out of one lane."""

    def __init__(self, broker, number, share):
        self._reader, self._share = broker.read(f"out-{number}", PARTITIONS), share
        self._times = collections.Counter()
        self._last = {}
        self.wrong = self.swapped = 0

    @property
    def lost(self):
        """Messages without a result."""
        return self._share - len(self._times)

    @property
    def duplicates(self):
        """Results beyond the first."""
        return sum(self._times.values()) - len(self._times)

    def follow(self, seconds):
        """Until every message has a result, or so long nothing has come."""
        patience = time.monotonic() + seconds
        while self.lost > 0 and time.monotonic() < patience:
            found = self._reader.take(0.5)
            self.note(found)
            if found:
                patience = time.monotonic() + seconds
            time.sleep(0.5)
        # Those that are still on their way would be duplicates.
        self.note(self._reader.take(2))
        self._reader.close()

    def note(self, messages):
        """Counts results; the first ones of a key come in the order of its messages."""
        for each in messages:
            number = json.loads(each.value())["y"] - 1
            if each.key() != f"key-{number % 97}".encode():
                self.wrong += 1
            if number not in self._times:
                if self._last.get(each.key(), -1) > number:
                    self.swapped += 1
                self._last[each.key()] = number
            self._times[number] += 1
