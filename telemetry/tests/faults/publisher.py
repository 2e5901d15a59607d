"""A device as a process: publishes a plan with QoS 1 and writes down, durably, what it sent and what was acknowledged.

    python -m telemetry.tests.faults.publisher PLAN JOURNAL HOST PORT --client-id NAME [--rate MESSAGES_A_SECOND]

PLAN has a line a message: its number, topic, and payload in hex. JOURNAL gets a line `sent N` before each sending and
`acknowledged N` after each PUBACK; the kernel has it before the next step, so it outlives this process. What is not
acknowledged is sent again on the next connection, as often as it takes, as devices do.
"""

import argparse
import os
import select
import socket
import time
from pathlib import Path

import mqtt5

WINDOW = 400  # unacknowledged messages on their way to the broker
BURST = 100
RETRY_S = 0.1
ANSWER_WITHIN_S = 5.0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("plan", type=Path)
    parser.add_argument("journal", type=Path)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--client-id", required=True)
    parser.add_argument("--rate", type=float, default=float("inf"))
    options = parser.parse_args()
    lines = [line.split(" ") for line in options.plan.read_text().splitlines()]
    plan = [(int(number), topic, bytes.fromhex(payload)) for number, topic, payload in lines]
    publisher = Publisher(plan, options.journal, options.client_id, options.rate)
    while not publisher.is_done:
        try:
            with socket.create_connection((options.host, options.port), timeout=ANSWER_WITHIN_S) as connection:
                publisher.publish(connection)
        except OSError:
            time.sleep(RETRY_S)


class Publisher:
    def __init__(self, plan: list[tuple[int, str, bytes]], journal: Path, client_id: str, rate: float) -> None:
        self._plan = plan
        self._client_id = client_id
        self._rate = rate
        self._began = time.monotonic()
        self._next = 0  # of the plan, to be sent for the first time
        self._waiting: dict[int, int] = {}  # position in the plan by packet id, in the order of sending
        self._journal = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    @property
    def is_done(self) -> bool:
        return self._next == len(self._plan) and not self._waiting

    def publish(self, connection: socket.socket) -> None:
        """Sends what is left; OSError where the connection ends before."""
        hello = mqtt5.ConnectPacket(self._client_id, clean_start=False, session_expiry_interval=3600, keep_alive=60)
        connection.sendall(hello.write())
        self._send(connection, list(self._waiting), is_repeated=True)
        rest = b""
        while not self.is_done:
            self._send(connection, self._new(), is_repeated=False)
            if not select.select([connection], [], [], 0.02)[0]:
                continue
            data = connection.recv(65_536)
            if not data:
                raise ConnectionError("the broker closed the connection")
            rest = self._hear(rest + data)
        connection.sendall(mqtt5.DisconnectPacket().write())

    def _new(self) -> list[int]:
        """Packet ids of messages to be sent now for the first time."""
        due = min(len(self._plan), (time.monotonic() - self._began) * self._rate)
        end = min(int(due), self._next + min(BURST, WINDOW - len(self._waiting)))
        packet_ids = []
        for position in range(self._next, end):
            packet_ids.append(position % 65_535 + 1)
            self._waiting[packet_ids[-1]] = position
        self._next = max(self._next, end)
        return packet_ids

    def _send(self, connection: socket.socket, packet_ids: list[int], *, is_repeated: bool) -> None:
        if not packet_ids:
            return
        packets = []
        for packet_id in packet_ids:
            _, topic, payload = self._plan[self._waiting[packet_id]]
            packet = mqtt5.PublishPacket(
                topic, payload, qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=packet_id, duplicate=is_repeated
            )
            packets.append(packet.write())
        self._note("sent", [self._plan[self._waiting[packet_id]][0] for packet_id in packet_ids])
        connection.sendall(b"".join(packets))

    def _hear(self, data: bytes) -> bytes:
        """Notes what is acknowledged; gives the incomplete rest."""
        position, acknowledged = 0, []
        try:
            while position < len(data):
                packet, size = mqtt5.read(memoryview(data)[position:])
                position += size
                if isinstance(packet, mqtt5.ConnAckPacket) and packet.reason_code != mqtt5.ConnAckReasonCode.SUCCESS:
                    raise ConnectionError(f"the broker refused: {packet.reason_code.name}")
                if isinstance(packet, mqtt5.PubAckPacket) and packet.packet_id in self._waiting:
                    acknowledged.append(self._plan[self._waiting.pop(packet.packet_id)][0])
        except IndexError:
            pass
        self._note("acknowledged", acknowledged)
        return data[position:]

    def _note(self, what: str, numbers: list[int]) -> None:
        if numbers:
            os.write(self._journal, "".join(f"{what} {number}\n" for number in numbers).encode())


if __name__ == "__main__":
    main()
