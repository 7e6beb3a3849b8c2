# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""A broker of its own for a test, and what to do with its topics."""

import socket
import subprocess
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic


def free_port(host="127.0.0.1"):
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


class Broker:
    """The broker's process, on an address of this machine, with its data in a folder."""

    def __init__(self, program, folder, host="127.0.0.1"):
        self._program, self._folder, self._host = program, folder, host
        self.port = free_port(host)
        self.address = f"{host}:{self.port}"
        self._process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *failure):
        self.stop()

    def start(self):
        """Returns when it answers."""
        command = [self._program, "start", "--data-dir", str(self._folder), "--only", "kafka", "--host", self._host,
                   "--kafka-port", str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        admin = AdminClient({"bootstrap.servers": self.address, "log_level": 0})
        deadline = time.monotonic() + 30
        while True:
            try:
                admin.list_topics(timeout=2)
                return
            except KafkaException:
                assert time.monotonic() < deadline and self._process.poll() is None, f"wants a broker at {self.address}, found none"
                time.sleep(0.2)

    def stop(self):
        """Ends the process; what it keeps stays in its folder."""
        if self._process:
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    def make(self, *topics, partitions=1):
        """Makes topics."""
        admin = AdminClient({"bootstrap.servers": self.address})
        for made in admin.create_topics([NewTopic(each, partitions, 1) for each in topics]).values():
            made.result(20)

    def producer(self, **settings):
        """A client that writes."""
        return Producer({"bootstrap.servers": self.address, "linger.ms": 5, "log_level": 0, **settings})

    def write(self, topic, messages):
        """Writes (key, value, headers), and waits until the broker has them."""
        lost = []
        producer = self.producer()
        for key, value, headers in messages:
            while True:
                try:
                    producer.produce(topic, value, key, headers=headers, on_delivery=lambda error, _: lost.append(error) if error else None)
                    break
                except BufferError:
                    producer.poll(0.1)
            producer.poll(0)
        assert producer.flush(60) == 0 and not lost, f"wants messages written, lost {lost[:3]}"

    def read(self, topic, partitions=1):
        """A reader of everything in a topic, from the beginning."""
        return Reader(self.address, topic, partitions)


class MockBroker(Broker):
    """The client library's own broker, inside this process: unlike others it lets a group go on whose leader has died."""

    def __init__(self):
        self._host = Producer({"test.mock.num.brokers": 1, "log_level": 0})
        known = self._host.list_topics(timeout=10).brokers.values()
        self.address = ",".join(f"{each.host}:{each.port}" for each in known)

    def start(self):
        """It runs as long as the object lives."""

    def stop(self):
        """It ends with the object."""

    def make(self, *topics, partitions=4):
        """Makes topics by asking for them; they have four partitions."""
        assert partitions == 4
        for topic in topics:
            self._host.list_topics(topic, timeout=10)


class Reader:
    """Reads a topic from its beginning, without a group."""

    def __init__(self, address, topic, partitions):
        self._consumer = Consumer({"bootstrap.servers": address, "group.id": "reader", "enable.auto.commit": False,
                                   "auto.offset.reset": "earliest", "fetch.wait.max.ms": 500, "log_level": 0})
        self._consumer.assign([TopicPartition(topic, number, 0) for number in range(partitions)])

    def take(self, seconds):
        """The messages that come within so long, and there may be none."""
        return [each for each in self._consumer.consume(10_000, seconds) if not each.error()]

    def wait(self, count, seconds=30):
        """So many messages."""
        found, deadline = [], time.monotonic() + seconds
        while len(found) < count:
            assert time.monotonic() < deadline, f"wants {count} messages, found {len(found)}"
            found += self.take(0.2)
        return found

    def close(self):
        """Ends the client."""
        self._consumer.close()
