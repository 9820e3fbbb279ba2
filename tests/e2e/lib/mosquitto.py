"""mosquitto_pub and mosquitto_sub: clients that know nothing of Quoin."""

import subprocess

from .account import die_with_parent


def _arguments(plant, device, client_id, key=None, certificate=None, cafile=None):
    return ["-h", "127.0.0.1", "-p", str(plant.mqtt_port), "-V", "mqttv5", "-i", client_id,
            "--cafile", str(cafile or plant.home / "pki/root.crt"), "--cert", str(certificate or device.identity / "device.crt"),
            "--key", str(key or device.clear_key()), "--tls-version", "tlsv1.3", "-q", "1"]


def publish(plant, device, topic, message, client_id=None, timeout_s=20, extra=(), **credentials):
    """The finished mosquitto_pub: returncode 0 is a PUBACK without an error."""
    return subprocess.run(
        ["mosquitto_pub", *_arguments(plant, device, client_id or device.name, **credentials),
         "-t", topic, "-m", message, *extra],
        capture_output=True, text=True, timeout=timeout_s, preexec_fn=die_with_parent)


def subscribe(plant, device, topic, client_id=None, count=1, wait_s=10, extra=(), **credentials):
    """A running mosquitto_sub that ends after `count` messages or `wait_s` seconds."""
    return subprocess.Popen(
        ["mosquitto_sub", *_arguments(plant, device, client_id or device.name, **credentials),
         "-t", topic, "-C", str(count), "-W", str(wait_s), "-v", *extra],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=die_with_parent)


def heard(plant, device, topic, **options):
    """The first message that mosquitto_sub hears within some seconds, or ""."""
    wait_s = 12 if plant.faults else 3
    out, _ = subscribe(plant, device, topic, count=1, wait_s=wait_s, extra=["-d"], **options).communicate(timeout=wait_s + 20)
    assert "received SUBACK" in out, out  # else it could have heard nothing
    return "".join(line for line in out.splitlines(keepends=True) if line.startswith("quoin"))


def publish_lines(plant, device, topic, extra=(), **credentials):
    """A running mosquitto_pub that publishes each line written to its stdin."""
    return subprocess.Popen(
        ["mosquitto_pub", *_arguments(plant, device, device.name, **credentials), "-t", topic, "-l", *extra],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True,
        preexec_fn=die_with_parent)
