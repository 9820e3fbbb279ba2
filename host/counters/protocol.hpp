// The order of steps that makes a value be handed out once, also when files are restored, copied,
// and run twice. No disk, no anchor: whoever owns it does what next() says and tells the outcome.
//
//   begin(f) ─> claim ─> look ─> write ─> increment ─> confirm ─> ready   (an opening: nothing
//                          │                              │         │      is handed out)
//                          └────────── refused ───────────┘         │ change()
//                                                           write ─> increment ─> confirm ─> ready
//   failed(): after it change() first goes through an opening again, from `look` on.
//
// The anchor is two counters outside the disk, whose increments give each new value to one caller
// only: `claims`, counted by each opening, and `generation`, counted by each durable write. A file
// carries the generation that it was written for.
//
// Why no value comes twice. Let P, which claimed t, hand out in generation g.
//   1. P itself counted g-1 after its claim: in its opening, or in the write before this one.
//   2. So nobody with an older claim writes a file of generation >= g: it would have had to count
//      g-1 (P did), or to see it (who looks so late sees claims >= t, and is refused).
//   3. Nobody claimed between P's claim and its confirm, or confirm would have failed. So everybody
//      else who writes for a generation >= g claimed after that, saw a generation >= g, and began
//      with a file of a generation >= g.
//   4. By induction each such file descends from P's memory, and has what P reserved; and whoever
//      claims after P's confirm refuses all others.
//   5. Who claimed before P hands nothing out any more: its confirm fails. What it handed out until
//      then is, by 1 to 4 with it in P's place, in the file that P began with.
// protocol_test.cpp goes through all interleavings of two machines with everything that was ever
// written to restore from.
//
// NOT covered: the memory of a running process put back (a virtual machine's snapshot with its
// memory): the block that it holds is then held twice, and no write lies in between.
//
// Threads: a plain value.
#pragma once

#include <cstdint>

namespace quoin::counters {

class Protocol {
public:
    enum class Step : std::uint8_t {
        idle,       // not begun, or broken by failed() and not yet asked for a change
        claim,      // count `claims`: claimed()
        look,       // read both counters: seen()
        write,      // make the file of generation target() durable: written()
        increment,  // count `generation`: incremented()
        confirm,    // read `claims`: confirmed()
        ready,      // what the last write has reserved may be handed out, if is_serving()
        refused,    // for good: refusal() says why
    };
    enum class Refusal : std::uint8_t {
        none,
        file_is_old,    // a restored file, or a copy of one that went on elsewhere
        file_is_ahead,  // the anchor went back, or is another one
        counted_twice,  // somebody else counts with the same anchor
    };

    // Without an anchor there is only `write`.
    Protocol() = default;
    explicit Protocol(bool has_anchor) : has_anchor_(has_anchor) {}

    // Whether a file and an anchor of these generations belong together.
    static Refusal judge(std::uint64_t file, std::uint64_t anchor) {
        if (file < anchor) return Refusal::file_is_old;
        return file > anchor + 1 ? Refusal::file_is_ahead : Refusal::none;
    }

    void begin(std::uint64_t file_generation) {
        file_ = file_generation;
        opening_ = true;
        step_ = has_anchor_ ? Step::claim : Step::write;
    }
    void claimed(std::uint64_t claim) {
        claim_ = claim;
        step_ = Step::look;
    }
    void seen(std::uint64_t claims, std::uint64_t generation) {
        if (claims != claim_) return refuse(Refusal::counted_twice);
        if (const Refusal why = judge(file_, generation); why != Refusal::none) return refuse(why);
        file_ = generation;  // one that was written and not counted is written again
        step_ = Step::write;
    }
    // Ready, and there is something new to reserve.
    void change() {
        if (step_ == Step::ready) {
            opening_ = false;
            step_ = Step::write;
        } else if (step_ == Step::idle) {
            opening_ = true;
            step_ = has_anchor_ ? Step::look : Step::write;
        }
    }
    void written() {
        if (!has_anchor_) return done();
        step_ = Step::increment;
    }
    void incremented(std::uint64_t generation) {
        if (generation != target()) return refuse(Refusal::counted_twice);
        step_ = Step::confirm;
    }
    void confirmed(std::uint64_t claims) {
        if (claims != claim_) return refuse(Refusal::counted_twice);
        done();
    }
    // A step failed, and nobody knows whether it had its effect.
    void failed() {
        if (step_ == Step::refused) return;
        // The file may be of target() now, and counted; both are looked at again.
        if (step_ == Step::claim) return;  // again, as from the beginning
        file_ = step_ == Step::look ? file_ : target();
        step_ = Step::idle;
    }

    Step next() const { return step_; }
    Refusal refusal() const { return refusal_; }
    std::uint64_t generation() const { return file_; }
    std::uint64_t target() const { return file_ + 1; }
    // The generation that was just written is one in which values are handed out.
    bool is_serving() const { return !opening_; }

    bool operator==(const Protocol&) const = default;

private:
    void refuse(Refusal why) {
        refusal_ = why;
        step_ = Step::refused;
    }
    void done() {
        ++file_;
        step_ = Step::ready;
    }

    std::uint64_t file_ = 0;
    std::uint64_t claim_ = 0;
    bool has_anchor_ = true;
    bool opening_ = true;
    Step step_ = Step::idle;
    Refusal refusal_ = Refusal::none;
};

}  // namespace quoin::counters
