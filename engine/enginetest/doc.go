// Package enginetest tests orchestrations, without a store, a worker or a wait. A
// test makes a world with [New], fakes the activities it wants to fake, says what
// happens when, and runs the orchestration; the clock jumps from one thing that
// happens to the next, so 72 hours take no time:
//
//	func TestNobodyAnswers(t *testing.T) {
//		env := enginetest.New(t, registry())
//		enginetest.Fake(env, AskBoss, func(context.Context, Claim) (string, error) { return "asked", nil })
//
//		verdict, err := enginetest.Run(env, Expense, Claim{Amount: 250})
//
//		if err != nil || verdict.Approved || env.Elapsed() != 72*time.Hour {
//			t.Errorf("%+v %v after %v", verdict, err, env.Elapsed())
//		}
//	}
//
//	func TestTheBossApproves(t *testing.T) {
//		env := enginetest.New(t, registry())
//		enginetest.Fake(env, AskBoss, func(context.Context, Claim) (string, error) { return "asked", nil })
//		enginetest.Raise(env, 48*time.Hour, Approval, Verdict{Approved: true})
//		…
//	}
//
// [Calls] and [Children] tell what was asked for. An activity that is not faked
// runs as it is registered. What orchestrations log is in the test's output.
//
// # Determinism
//
// Every turn is made twice: by the orchestration as it rests in memory, and by
// one that is replayed from its history up to there. If they decide differently,
// in a name, an input or a time, the test fails and shows both.
//
// # Crashes
//
// [EveryCrash] runs a test once for every place at which the process may die.
//
// # Histories
//
// [Replay] holds the code of today to histories of instances that were begun by
// the code of yesterday. Export some from production, keep them in testdata, and
// a change that would break instances that are running fails a test instead:
//
//	func TestRunningInstancesGoOn(t *testing.T) {
//		enginetest.Replay(t, registry(), "testdata/histories/*.json")
//	}
package enginetest
