"""`quoin up` makes a plant of any profile, and starts it again with no other."""

from lib import account, background
from lib.plant import OVERLAY, Plant, quoin


class MadeByUp(Plant):
    def _make_home(self, overlay, init, profile):
        (self.home / "conf.d").mkdir(parents=True, mode=0o700)
        self.home.chmod(0o700)
        (self.home / "conf.d/50-test.toml").write_text(overlay)
        for path in (self.home, self.home / "conf.d", self.home / "conf.d/50-test.toml"):
            account.own(path)
        self.up_arguments += ["--site", "e2e", "--profile", profile]
        quoin("birth", "--maker", self.maker, "--class", "mpu", "unused-1")


def comes_up(suite, *danger):
    plant = MadeByUp(suite=suite, overlay=OVERLAY, profile=suite)
    try:
        if danger:
            refused = quoin("up", "--home", plant.home, *plant.up_arguments, check=False)
            assert refused.returncode == 2 and danger[0] in refused.stderr and not (plant.home / "pki").exists()
            plant.up_arguments += danger
        plant.start()
        quoin("pki", "trust-maker", plant.maker / "ca.crt", "--home", plant.home)
        device = plant.add_device("mpu-1")
        device.wait_stored(5)
        plant.down()
        other = quoin("up", "--home", plant.home, "--profile", "hybrid-44", check=False)
        assert other.returncode == 1 and "was made with another one" in other.stderr, other
        plant.start()
        assert plant.rest.get("status")["suite"] == suite
    except BaseException as error:
        error.add_note(plant.logs())
        raise
    finally:
        plant.close()
    plant.remove()


@background.scenario
def test_up__classical__only_when_it_is_allowed():
    comes_up("classical", "--danger-allow-classical")


@background.scenario
def test_up__pure__takes_a_device_and_no_other_profile():
    comes_up("pure")
