package sim

import "time"

// weather is how much goes wrong in a run, in so many of a thousand chances. Not
// every run has everything: what is rare beside a storm is common in a run of its
// own.
type weather struct {
	reset int // a request does not arrive
	busy  int // it is refused for the moment
	late  int // its sender sees the connection cut, and it arrives all the same
	lost  int // its answer does not arrive
	vague int // it has its effect, and the answer is that it took too long
	slow  int // its answer takes a while

	crash int // a process dies
	stop  int // a process is told to end
	pause int // a process stands still
	wait  int // time passes although somebody could go on
	short int // a page, or what is received, is not all there is
}

// forecast chooses a run's weather.
func (t *tape) forecast() weather {
	degree := func() int { return oneOf(t, 0, 0, 5, 20, 80) }
	return weather{
		reset: degree(), busy: degree(), late: 0 * degree(), lost: degree(), vague: degree(), slow: oneOf(t, 0, 50, 300),
		crash: oneOf(t, 0, 0, 3, 10, 30), stop: oneOf(t, 0, 0, 0, 3), pause: oneOf(t, 0, 0, 5, 20), wait: oneOf(t, 0, 20, 100),
		short: oneOf(t, 0, 0, 100),
	}
}

// habits are how a run's processes are set up.
type habits struct {
	workers  int
	lease    time.Duration
	ceiling  time.Duration // of polls
	retries  int32         // of the SDK
	cached   int
	turns    int
	parallel int // activities
	skew     time.Duration
	bare     bool // a client without a worker is used as well
}

func (t *tape) habits() habits {
	return habits{
		workers: oneOf(t, 1, 2, 2, 3), lease: seconds(oneOf(t, 30, 10)), ceiling: seconds(oneOf(t, 30, 2)), retries: oneOf[int32](t, -1, 3),
		cached: oneOf(t, 1000, 1, -1), turns: oneOf(t, 4, 1), parallel: oneOf(t, 8, 1), skew: seconds(oneOf(t, 0, 0, 3, 40)), bare: t.choose(2) == 1,
	}
}
