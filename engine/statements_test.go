package engine_test

const preface = `# Semantics

What an orchestration, and whoever starts and controls instances, can rely on. Most of it is what Durable Functions does; where its SDKs
disagree with each other, or we differ from all of them, the reason stands beside it. S1 to S41 are the questions on which engines of this
kind differ; the letters after them are the rest of the model.

This page is generated from engine/statements_test.go by ` + "`go test ./engine -run Semantics -update`" + `, and a test fails when it is
stale, when a test that is named here does not exist, or when a name of ours does not. Tests are written package.Test; those after
"storetest" are cases of the suite that every store passes.
`

// semantics is docs/semantics.md.
var semantics = []chapter{
	{title: "External events", statements: []statement{
		{
			id: "S1", title: "Names",
			here:      "An event's name matches exactly, upper and lower case included. A near miss is kept under its own name, is shown with the instance, and is told to whoever raises it with `client.Client.Ask`.",
			elsewhere: "The .NET SDKs and durabletask-go v1 ignore case; JavaScript v3 does not.",
			why:       "Two spellings are two names everywhere else in a Go program. What hurts is not the rule but the silence, so the near miss is answered.",
			tests:     "client.TestEventNamesMatchExactly; client.TestWhoAsksIsToldWhatBecameOfTheEvent; storetest: 7 events are kept from creation to the end",
		},
		{
			id: "S2", title: "Events before the wait",
			here:  "An event that nobody waits for is kept, by name and in order, from the creation of the instance to its end; the next wait takes the oldest at once.",
			tests: "engine.TestEventsAreKeptUntilSomeoneWaits; client.TestAnEventIsKeptUntilItIsWaitedFor; storetest: 7 events are kept from creation to the end",
		},
		{
			id: "S3", title: "Several who wait",
			here:      "Waits for one name are served first come, first served, one event each. A wait that was canceled or ran out of time takes no event; one that lost a race still waits until it is canceled.",
			elsewhere: "In-process .NET and JavaScript v3 serve the newest wait first, and isolated .NET followed them, because abandoned waits swallowed events. The older durabletask-go (v0.6.0) lets the timer of an answered wait destroy the next wait for the same name.",
			why:       "Last come, first served only hides that an abandoned wait swallows events. Here it does not, so the order can be the one that people expect of a queue.",
			tests:     "engine.TestEventsAndWaitersAreServedInOrder; engine.TestAWaiterThatGaveUpIsPassedOver; engine.TestAnEventIsNotTakenByAWaitThatEndsInTheSameTurn; engine.TestCanceledAndTimedOutWaitersTakeNoEvent; engine.TestTimerOfAnAnsweredWaitDoesNotHurtTheNext; engine.TestTheLoserOfARaceGoesOn",
		},
		{
			id: "S4", title: "One name, two types",
			here:      "Allowed: each wait reads the event it takes as its own type. A payload that does not fit is the error of that wait's Await, or is refused where the wait has a condition or is `engine.Typed`.",
			elsewhere: "In-process .NET throws an ArgumentException; durabletask-go v1 panics.",
			why:       "A name is a typed constant here, so two types under one name take a conversion that is plain to see, and whoever writes it knows why.",
			tests:     "engine.TestOneNameMayBeWaitedForAsTwoTypes; engine.TestPayloadOfTheWrongTypeIsAnError; engine.TestATypedWaitGoesOnAfterWhatDoesNotFit",
		},
		{
			id: "S5", title: "Deadline and default",
			here:      "`engine.Until` gives a wait a deadline; if it comes first, Await returns `engine.ErrTimeout`, and `engine.Task.AwaitOr` a default. The timer behind it is canceled when the event comes first.",
			elsewhere: ".NET throws a TimeoutException or returns a default; durabletask-go returns the same error for a time-out and a cancellation.",
			why:       "A time-out is an outcome to be told from being given up, so it has an error of its own.",
			tests:     "engine.TestAWaitMayHaveADefault; engine.TestTimerOfAnAnsweredWaitDoesNotHurtTheNext; engine.TestWaitUntilTheZeroTimeIsOver; engine.TestFalsyPayloadsEndAWaitThatHasADefault",
		},
		{
			id: "S6", title: "How often an event counts",
			here:      "An event is recorded once, however often its message arrives. Two events are two, however alike, unless their sender gives both the same idempotency key; then one has an effect, and both get its answer.",
			elsewhere: "At least once, with the advice to put an id into the payload.",
			why:       "Whoever repeats a request after a lost answer should not have to teach the orchestration to count.",
			tests:     "engine.TestMessageDeliveredTwiceIsRecordedOnce; engine.TestEqualEventsAreTwo; engine.TestTheSameKeyHasOneEffectAndOneAnswer; client.TestTheSameKeyGetsTheSameAnswer; storetest: a message sent twice is kept once",
		},
		{
			id: "S7", title: "Order",
			here:      "Events are taken in the order of their acceptance, whatever way they came; what one sender sends after another call has returned comes after it.",
			elsewhere: "Usually in order from one sender; not after a retry.",
			why:       "Whoever sends \"hold\" and then \"go on\", and was told that each was accepted, means them in that order; a retry in between is no reason of his.",
			tests:     "storetest: 7 events are taken in the order of acceptance; storetest: messages stay in the order of their ids; storetest: 4 what one worker sends does not overtake another's; engine.TestEventsAreSentInOrder",
		},
		{
			id: "S8", title: "Unknown instance",
			here:      "`client.ErrNotFound`, and 404 over HTTP. What one instance sends to another that is not there is dropped, with a line in the log.",
			elsewhere: "404 or an exception on Azure Storage; silence on other providers.",
			why:       "A typing mistake in an id must not look like a success; but the code of a sender cannot wait to learn whether a receiver, which may be on its way out, is still there.",
			tests:     "client.TestEveryOperationInEveryStatus; httpapi.TestRaiseInEveryStatus; storetest: send needs a living instance; storetest: 4 nobody is sent to who is not there",
		},
		{
			id: "S9", title: "Instance that has ended",
			here:  "`client.ErrFinished`, and 410 over HTTP.",
			tests: "client.TestEveryOperationInEveryStatus; client.TestRaiseChecksTheInstanceBeforeThePayload; httpapi.TestRaiseInEveryStatus; storetest: 7 an honest answer",
		},
		{
			id: "S10", title: "An event that races with the end",
			here:      "Whoever is told that it was accepted finds it in the history, although nobody took it; otherwise the answer is `client.ErrFinished`.",
			elsewhere: "Accepted, then deleted unseen.",
			why:       "Nothing accepted is lost: a turn cannot be committed past a message that it has not seen.",
			tests:     "client.TestAnEventThatRacesWithTheEndIsRecordedOrRefused; storetest: a turn cannot be made without a message that came before it",
		},
		{
			id: "S11", title: "Events and ContinueAsNew",
			here:      "Events that nobody took go over to the next execution in the order in which they came, those that came after the call included. `engine.DropEvents` leaves behind those that came before it.",
			elsewhere: "In-process .NET drops what was kept unless told otherwise, isolated .NET carries it over, Python drops it, durabletask-go asks for an option.",
			why:       "Losing an answer that was accepted must be asked for, not be the default.",
			tests:     "engine.TestEventsGoOverInTheOrderInWhichTheyCame; engine.TestWhatComesAfterTheEndIsForTheNextExecution; engine.TestEventsCanBeLeftBehind; storetest: 7 events go over to the next execution in order",
		},
		{
			id: "S12", title: "Payloads",
			here:      "Any JSON, kept byte for byte. An empty payload is null. 0, the empty text, false and null are values on every way. An object with a member twice, and nesting beyond 32 levels, is refused.",
			elsewhere: "An empty body is an error over HTTP, although the JavaScript client sends one.",
			why:       "Two readers of a text with a member twice may see two things, and one of them may be a decision.",
			tests:     "client.TestAPayloadArrivesAsItWasSent; client.TestAnEmptyPayloadIsNull; client.TestAPayloadThatIsNoJSONIsRefused; storetest: 7 falsy payloads go every way; engine.TestFalsyPayloadsArriveAsTheyAre; engine.TestFalsyResultsOfActivitiesArriveAsTheyAre; httpapi.TestFalsyValuesSurviveEveryHop",
		},
		{
			id: "S13", title: "Events during a suspension",
			here:  "Accepted and recorded; the code hears of them after the resumption. One that is to be taken at once or not at all is refused.",
			tests: "engine.TestSuspendedInstanceRecordsButDoesNotRun; engine.TestASuspendedInstanceTakesNothingAtOnce; client.TestASuspendedInstanceKeepsWhatComes",
		},
		{
			id: "S14", title: "Events between instances",
			here:  "`engine.SendEvent` sends after the turn is durable and waits for nothing; what one execution sends to one instance arrives once and in order.",
			tests: "engine.TestEventsAreSentInOrder; storetest: 3 whichever call goes wrong, events arrive once; storetest: 4 events whose sender's worker dies are sent",
		},
	}},
	{title: "Timers", statements: []statement{
		{
			id: "S15", title: "When a timer fires",
			here:  "Never early by the store's clock, at once if it is due or overdue, and as soon after its time as a doorbell is heard.",
			tests: "engine.TestTimerNeverFiresEarly; engine.TestOverdueTimerFiresAtOnce; storetest: 6 a timer never fires early; storetest: 6 an overdue timer fires at once; tablestore.TestATimerFiresByTheStoresClock",
		},
		{
			id: "S16", title: "Timers that are pending at the end",
			here:      "An orchestration completes when its function returns; its timers die with it.",
			elsewhere: "With in-process .NET, JavaScript v3 and Python it stays Running until the last timer has fired or was canceled; isolated .NET, Java and Go complete at once.",
			why:       "A result that is known should not wait for a clock that nobody waits for. Canceling the loser of a race is good style and no duty.",
			tests:     "engine.TestOrchestrationCompletesWithTimersPending; storetest: 6 a canceled timer is dead",
		},
		{
			id: "S17", title: "Canceling",
			here:      "A canceled timer is dead: it neither fires nor rings, and its Await returns `engine.ErrCanceled`. To cancel what is done, or to cancel twice, changes nothing.",
			elsewhere: "JavaScript throws when a completed timer is canceled.",
			why:       "So `defer timer.Cancel()` is always right.",
			tests:     "engine.TestACanceledTimerIsDeadAndMayBeCanceledAgain; storetest: 6 a canceled timer is dead; tablestore.TestACanceledTimerLeavesNothingBehind",
		},
		{
			id: "S18", title: "How far away",
			here:      "As far as a date goes, and always one timer in the history.",
			elsewhere: "On Azure Storage timers over six days are split, and in-process .NET once refused them.",
			why:       "Due times are rows, not messages hidden in a queue, so there is no limit to work around.",
			tests:     "engine.TestALongTimerIsOneTimer; storetest: 6 timers of any time work; storetest: times however far away are kept",
		},
		{
			id: "S19", title: "The clock",
			here:  "`engine.Context.Now` is the time of the turn's OrchestratorStarted, in UTC: the same at every replay and for everything in one turn, and never earlier than before or than a timer that has fired.",
			tests: "engine.TestNowIsWhenTheTurnBegan; engine.TestTimeNeverRunsBackwards; engine.TestTimerNeverFiresEarly",
		},
	}},
	{title: "Races and groups", statements: []statement{
		{
			id: "S20", title: "Who wins",
			here:  "`engine.WhenAny` and `engine.Select` go by the order of history: that of acceptance, with a timer in the place of its due time. An answer accepted before the deadline wins although the worker was away. Losers go on.",
			tests: "engine.TestWhenAnyFollowsHistoryThenArgumentOrder; engine.TestRaceIsDecidedByTimeOfAcceptance; engine.TestTheLoserOfARaceGoesOn; engine.TestCancelingARaceLeavesTheRunners; tablestore.TestAnAnswerAndADeadlineAreComparedByOneClock",
		},
		{
			id: "S21", title: "Several done already",
			here:      "Of tasks that were done before the race began, the first in the order of the arguments wins.",
			elsewhere: ".NET too; JavaScript goes by the order of construction; durabletask-go v1 by that of completion.",
			why:       "It is the order that the author can see at the call, and states a preference.",
			tests:     "engine.TestWhenAnyFollowsHistoryThenArgumentOrder; engine.TestWhenAnyOfNothingIsAnError; engine.TestSelectOfNothingFails; engine.TestSelectReadsLikeASwitch",
		},
		{
			id: "S22", title: "Results of a group",
			here:  "`engine.WhenAll` returns results in the order of its arguments; a group of none is done. `engine.WhenAllDone` takes tasks of different types.",
			tests: "engine.TestResultsStandInTheOrderOfTheArguments; engine.TestWhenAllOfNothingCompletes; engine.TestNoTasksAtAllAreDone; engine.TestTasksOfDifferentTypesAreWaitedForTogether",
		},
		{
			id: "S23", title: "Failures in a group",
			here:      "All are waited for; then their errors are joined, and errors.Is and errors.As find each.",
			elsewhere: ".NET waits for all and throws the first, JavaScript v3 and Python fail at the first, durabletask-js waits for all and throws an AggregateError, durabletask-go v1 returns the earliest.",
			why:       "A failure that comes after the first would be lost, and the rest would go on unwatched. Who wants to stop early races the tasks instead.",
			tests:     "engine.TestWhenAllWaitsForAllAndJoinsErrors; engine.TestTasksOfDifferentTypesAreWaitedForTogether",
		},
		{
			id: "S24", title: "Nesting",
			here:      "Races and groups are tasks and nest in any depth. What is no task does not compile.",
			elsewhere: "To yield what is no task fails the orchestration.",
			tests:     "engine.TestRacesAndGroupsNest; engine.TestTasksOfDifferentTypesAreWaitedForTogether",
		},
	}},
	{title: "Branches", statements: []statement{
		{
			id: "B1", title: "Side by side",
			here:      "`engine.Go` begins a branch, which runs at once until it waits. One branch runs at a time, in the order in which what they wait for was done; its task is done when it returns. Nothing is recorded but what it asks for.",
			elsewhere: "An async local function in .NET; coroutines with a wait group in durabletask-go v1; nothing in JavaScript v3.",
			tests:     "engine.TestBranchesGoSideBySide; engine.TestABranchRunsAtOnceUntilItWaits; engine.TestBranchesGoOnInTheOrderInWhichTheirTasksAreDone; engine.TestBranchesThatWaitForOneTaskGoOnInTheirOrder; engine.TestBranchesSurviveEveryCrash; engine.TestThousandsOfBranchesMayRunAtOnce",
		},
		{
			id: "B2", title: "Canceling one",
			here:      "What it has begun is canceled, branches of its own included, and its Await returns `engine.ErrCanceled`, so that it can tidy up; what others have begun is left alone. What it returns goes unheard.",
			elsewhere: "Cancellation scopes in durabletask-go v1 and Temporal; what runs in one after its end must be kept out of it.",
			why:       "An error that is returned is how a Go function learns of such a thing. Tidying up may take a call, so tasks that are begun afterwards are not canceled.",
			tests:     "engine.TestACanceledBranchGivesUpWhatItBeganAndTidiesUp; engine.TestACanceledBranchLeavesTheTasksOfOthers",
		},
		{
			id: "B3", title: "How they end",
			here:  "With the orchestration, wherever they are. A panic in a branch fails the orchestration; an error it returns is that of its task, and as little noticed as any error if nobody awaits it.",
			tests: "engine.TestBranchesEndWithTheOrchestration; engine.TestWhatGoesWrongInABranchFailsTheOrchestration; engine.TestABranchThatDoesNotFollowItsHistoryIsFound; engine.TestABranchMayContinueAsNew",
		},
	}},
	{title: "Starting", statements: []statement{
		{
			id: "S25", title: "An id that is taken",
			here:  "An instance that has ended gives way; for one that has not, `client.ErrExists`, and 409 over HTTP. `client.Replace` names the statuses that give way: a running instance is then gone without a trace, and what reaches it late reaches nobody.",
			tests: "client.TestStartRefusesAnIDInUse; client.TestAStartMayReplaceWhatRuns; storetest: create replaces an instance in the statuses it names and in no others; storetest: 2 what is replaced while it runs is gone; storetest: what is replaced while it runs leaves nothing",
		},
		{
			id: "S26", title: "Starting over an instance that has ended",
			here:  "The new one has its own execution, time of creation and history; nothing of the old end shows.",
			tests: "client.TestStartOverAnEndedInstanceBeginsAnew; storetest: create replaces an instance that has ended",
		},
		{
			id: "S27", title: "Two who start the same id at once",
			here:      "One gets the instance, the others `client.ErrExists`: the check and the start are one conditional write.",
			elsewhere: "Both may be told 202, and one execution survives; a singleton is a status query and then a start.",
			why:       "With a write that is conditional anyway, a singleton needs no lock and no luck.",
			tests:     "client.TestOfManyWhoStartASingletonOneDoes; storetest: of many who create an instance one does; storetest: create again by the same execution has no effect",
		},
		{
			id: "S28", title: "Starting later",
			here:  "`client.BeginAt` lets an instance be Pending until its time, however far away; events that come before are kept, and it can be terminated or suspended meanwhile.",
			tests: "engine.TestAnInstanceBeginsAtItsTime; storetest: 6 an instance begins when it is time",
		},
	}},
	{title: "Terminating", statements: []statement{
		{
			id: "S29", title: "What a termination does",
			here:      "It is a message like any other and counts when its turn is made: on a client of a worker, in the call. Activities that run are told to stop by their context, and their results go unheard.",
			elsewhere: "Running activities are not interrupted.",
			why:       "Work that nobody waits for costs money and may do harm. An activity that does not look at its context runs to its end, as there.",
			tests:     "dispatch.TestTerminationReachesARunningActivity; dispatch.TestTerminationElsewhereReachesARunningActivity; engine.TestTerminateEndsWithTheReason",
		},
		{
			id: "S30", title: "What is seen of it",
			here:  "Status Terminated, and the reason as output, a JSON string. It works on suspended instances, and on those that are pending or that no worker knows.",
			tests: "client.TestTerminateGivesTheReasonAsOutput; engine.TestTerminateEndsWithTheReason; storetest: 7 the unknown can be terminated",
		},
		{
			id: "S31", title: "Sub-orchestrations",
			here:      "They go on, unless `client.Recursively` is said; then each child that this execution called and that has not ended is terminated, and theirs. A child terminates only for the very call that began it.",
			elsewhere: "Not over HTTP or in-process; by a flag in the newer clients.",
			why:       "The default is that of Durable Functions; what was begun for nobody to wait for belongs to nobody.",
			tests:     "engine.TestATerminationGoesOnToWhatWasCalledIfItIsToldTo; engine.TestATerminationFromAboveIsOnlyForItsOwnChild; storetest: 4 termination goes to the children when it is told to",
		},
		{
			id: "S32", title: "Its id",
			here:  "Free as soon as the termination counts; until then a start of the same id gets `client.ErrExists`.",
			tests: "client.TestAnIDIsFreeWhenItsInstanceWasTerminated; storetest: 4 an id is free when its last instance owes nothing",
		},
	}},
	{title: "Suspending", statements: []statement{
		{
			id: "S33", title: "What rests",
			here:  "The code. What comes is recorded, activities that run finish, timers fire unheard; at the resumption all has its effect in its order. To suspend twice, or to resume what is not suspended, is an error: `client.ErrSuspended`, `client.ErrNotSuspended`.",
			tests: "engine.TestSuspendedInstanceRecordsButDoesNotRun; engine.TestResultRecordedDuringASuspensionIsNotOutstanding; engine.TestTwoSuspensionsEndWithOneResume; client.TestEveryOperationInEveryStatus; client.TestASuspendedInstanceKeepsWhatComes",
		},
		{
			id: "S34", title: "The reason",
			here:      "Stands in the history. An instance that has not ended has no output.",
			elsewhere: "The output holds the reason while the instance is suspended, and still after it was resumed.",
			why:       "Whoever reads an output takes it for a result.",
			tests:     "client.TestSuspendAndResumeRecordTheirReasons",
		},
	}},
	{title: "Rewinding and restarting", statements: []statement{
		{
			id: "S35", title: "Rewinding",
			here:      "`client.Client.Rewind` lets an instance that failed go on from where it went wrong: failures that the code did not go on from are taken out, with those of children and theirs, and everything else stays, results and failures that were handled. It is a new execution that goes by the ids of the old, so children and idempotency keys stay what they were.",
			elsewhere: "Preview for years, and not in every provider; all failed calls are taken out, handled or not.",
			why:       "What the code handled has led to decisions; to take it out would undo them.",
			tests:     "engine.TestARewoundExecutionMakesTheFailedCallAgain; engine.TestARewindingKeepsFailuresThatWereHandled; engine.TestFailedChildrenAreRewoundToo; engine.TestOnlyAFailureIsRewound; storetest: 2 an instance that failed is rewound; storetest: 5 what must not run twice does not, rewound",
		},
		{
			id: "S36", title: "Restarting",
			here:      "`client.Client.Restart` begins again with the input and the tags that were, under a new id or the same; with the same it gets `client.ErrExists` until the instance has ended. Over HTTP a new id is the default. It gets the version of the program that restarts it.",
			elsewhere: "The default of the id differs between SDKs.",
			why:       "In Go the choice is an argument, so nobody meets a default they did not expect; HTTP keeps the one that its clients know.",
			tests:     "client.TestRestartKeepsTheInput; client.TestAStartMaySayMoreOfItsInstance; client.TestEveryOperationInEveryStatus; httpapi.TestRestartInEveryStatus; httpapi.TestGoldenConversations",
		},
	}},
	{title: "Sub-orchestrations", statements: []statement{
		{
			id: "S37", title: "Their ids",
			here:  "Derived from the caller's execution and the number of the call, or the author's by `engine.InstanceID`; not the caller's own, and by the rules for every id.",
			tests: "engine.TestAChildIsBegunForItsCallAndItsResultReachesIt; engine.TestACallThatCannotBeFailsAndIsNotRecorded; client.TestStartRefusesWhatIsNoID",
		},
		{
			id: "S38", title: "Their failures",
			here:  "An `engine.TaskError` with name, instance, kind, message and number of attempts; `engine.KindTerminated` when it was terminated, `engine.ErrIDTaken` when its id belongs to another instance. A `engine.RetryPolicy` begins it again: under the author's id the same, else under an id of its own each time.",
			tests: "engine.TestAChildsFailureIsATaskError; engine.TestAChildIsCalledAgain; engine.TestTheEndOfAChildIsToldToItsParent; storetest: 4 a child's failure comes back",
		},
		{
			id: "S39", title: "Begun for nobody to wait for",
			here:  "`engine.StartOrchestrator` begins an instance without a parent and returns its id.",
			tests: "engine.TestAStartThatNobodyWaitsForHasNoParent; engine.TestATerminationGoesOnToWhatWasCalledIfItIsToldTo",
		},
		{
			id: "S40", title: "Purging one",
			here:  "Its parent has the result in its own history and misses nothing. An instance that still owes its parent a notice is not purged yet.",
			tests: "storetest: 4 a child that is purged is not missed by its parent; storetest: an ended instance that has something to send stays until it is sent",
		},
	}},
	{title: "Continuing as new", statements: []statement{
		{
			id: "S41", title: "A loop without end",
			here:  "A thousand executions leave the history as short as the first. The last `engine.Context.ContinueAsNew` before the return counts, what the function returns is ignored unless it is an error, and a thousand executions in a row that wait for nothing are a failure of `engine.KindNeverWaits`.",
			tests: "engine.TestContinueAsNewBeginsAgainWithAnEmptyHistory; engine.TestTheLastCallCountsAndAnErrorWins; engine.TestAnOrchestrationThatNeverWaitsFails; storetest: 1 a loop keeps its history bounded",
		},
		{
			id: "N1", title: "What stays the instance's",
			here:      "Id, parent, tags, secret events, version (`engine.Version` gives another) and the custom status, until it is set anew.",
			elsewhere: "The custom status is shown once more and then forgotten.",
			why:       "A status that vanishes although nothing changed helps nobody.",
			tests:     "engine.TestTheNextExecutionKeepsWhatIsTheInstances; engine.TestAnInstanceKnowsItsVersion",
		},
		{
			id: "N2", title: "What dies with the execution",
			here:  "Timers, and the results of activities and children that it did not wait for.",
			tests: "engine.TestActivitiesAndTimersDieWithTheirExecution; storetest: 5 an activity starts anew with a loop",
		},
		{
			id: "N3", title: "Crashes between two executions",
			here:  "What the one sends is sent once, and the next begins once.",
			tests: "engine.TestAnExecutionWithSomethingToSendEndsFirst; engine.TestAMessageOfAnEarlierExecutionIsKnown; storetest: 3 whichever call goes wrong, a loop loses nothing; storetest: 3 whichever call goes wrong, a loop sends once; storetest: 4 a loop that sends goes on when its worker dies",
		},
	}},
	{title: "Calls", statements: []statement{
		{
			id: "C1", title: "How often an activity runs",
			here:  "At least once, after the turn that asked for it is durable, and its result is recorded once. With `engine.AtMostOnce` it never runs twice; one that was cut short fails with `engine.ErrInterrupted`.",
			tests: "engine.TestResultIsRecordedOnce; engine.TestInterruptedActivityMatchesItsSentinel; storetest: 4 effects follow the commit; storetest: 5 a result is recorded once; storetest: 5 an at-most-once activity never runs twice",
		},
		{
			id: "C2", title: "Retries",
			here:  "`engine.RetryPolicy`: attempts, first pause, coefficient, longest pause, a time-out for all of them, one for each attempt, and a predicate. An error with a method `RetryAfter` makes the next pause at least so long, within the longest. Each pause is a durable timer and each attempt an action of its own; the next one is not begun if its pause would end beyond the time-out.",
			tests: "engine.TestAFailedCallIsMadeAgainAfterADurablePause; engine.TestTheZeroRetryPolicyMakesThreeAttemptsASecondApart; engine.TestRetriesStopWhereThePolicySaysSo; engine.TestRetryTimeoutCountsFromTheFirstAttempt; engine.TestAFailureThatSaysWhenToComeAgainIsListenedTo; engine.TestABadRetryPolicyFailsTheCall; engine.TestAPauseBeyondAllTimeIsBounded; engine.TestAnAttemptThatTakesTooLongIsMadeAgain; engine.TestTheLastAttemptsTimeoutIsTheCalls; engine.TestARetrySucceedsLikeAFirstCall",
		},
		{
			id: "C3", title: "What is not tried again",
			here:  "A failure marked by `engine.NonRetriable`, whatever the policy says; one for which `engine.RetryPolicy.Handle` says no; and, unless it says yes, a call of which nobody knows whether it took effect.",
			tests: "engine.TestNonRetriableFailuresAreFinal; engine.TestRetriesStopWhereThePolicySaysSo; engine.TestAPredicateMayRetryWhatIsNotKnownToHaveFailed; engine.TestAPredicateThatPanicsFailsTheOrchestration",
		},
		{
			id: "C4", title: "A deadline for a call",
			here:  "`engine.Until` ends a call, its retries included, with `engine.ErrTimeout`, and tells the activity to stop.",
			tests: "engine.TestACallIsGivenUpAtItsDeadline; engine.TestACallThatIsDoneCancelsItsDeadline; engine.TestACanceledCallIsNotTriedAgain; dispatch.TestADeadlineReachesARunningActivity",
		},
		{
			id: "C5", title: "What an activity knows of its call",
			here:  "`engine.CallOf` gives the instance, the execution, the task, the attempt and `engine.Call.Key`, an idempotency key that is the same in every attempt, after a crash and after a rewinding.",
			tests: "engine.TestActivityGetsItsCallAndPanicsAreCaught; engine.TestTheKeyOfACallIsTheSameInEveryAttempt; engine.TestARewoundExecutionMakesTheFailedCallAgain",
		},
		{
			id: "C6", title: "Failures",
			here:  "`engine.TaskError` tells what failed, how often, the kind and the message; a panic is a failure of `engine.KindPanic` with its stack and ends no process. A crash of the worker is no failure: the work is taken over.",
			tests: "engine.TestFailedActivityIsATaskError; engine.TestActivityGetsItsCallAndPanicsAreCaught; engine.TestPanicBecomesAFailureWithItsStack; engine.TestReturnedErrorFailsTheInstance; engine.TestBadInputFailsTheInstance; dispatch.TestAnActivityThatEndsItsGoroutineFails; storetest: 4 a crash is repaired by the next ring",
		},
		{
			id: "C7", title: "Payloads that are too large",
			here:  "Over 16 MiB of JSON: the call, the activity or the orchestration that made it fails with `engine.KindTooLarge`.",
			tests: "engine.TestWhatCannotBeKeptFailsWhoMadeIt; storetest: 5 a result too large to be kept fails its call; storetest: 5 large payloads go every way",
		},
		{
			id: "C8", title: "HTTP requests",
			here:      "`httpcall.Do` polls a 202 with a Location, by Retry-After or every 30 seconds, to the end or the time-out. A request names a destination of the program; others are refused unless they are allowed, and then only https to public addresses, which are resolved once. Redirections are not followed, and keys do not go elsewhere.",
			elsewhere: "callHttp calls any URL.",
			why:       "A URL is often data, and data may come from anybody.",
			tests:     "httpcall.TestAnAcceptedRequestIsAskedAboutUntilItIsDone; httpcall.TestRetryAfterIsReadInBothForms; httpcall.TestAnExchangeEndsAtItsDeadline; httpcall.TestNoURLLeadsToThisMachineOrItsNetwork; httpcall.TestANameThatChangesItsAddressGainsNothing; httpcall.TestRedirectionsAreNotFollowed; httpcall.TestTheNextRequestTakesNoKeysElsewhere; httpcall.TestNothingIsAllowedThatWasNotSaid",
		},
	}},
	{title: "Replay", statements: []statement{
		{
			id: "R1", title: "Code that no longer follows its history",
			here:      "Kind, name and target of every action are compared, and the end. A difference fails the instance with `engine.KindNonDeterministic`, naming what was recorded, what was asked for, and the place.",
			elsewhere: "Names are compared without regard to case, targets not at all.",
			tests:     "engine.TestChangedCodeFailsWithBothSidesNamed; engine.TestAnotherTargetIsAnotherAction; engine.TestARetryThatIsNotRecordedIsADivergence; engine.TestAChangedConditionFailsWithBothSidesNamed; storetest: 9 deterministic replay",
		},
		{
			id: "R2", title: "Ids and logs",
			here:  "`engine.Context.NewGUID` is the same at every replay; `engine.Context.Logger` is silent during it; `engine.Context.IsReplaying` tells.",
			tests: "engine.TestGUIDsAreUniqueAndStable; engine.TestLoggerIsSilentInReplayAndWhenPutAway; engine.TestReplayingIsTrueOnlyForThePast",
		},
		{
			id: "R3", title: "Forbidden code",
			here:  "Found by the analyzer in engine/determinism, and by `enginetest.Run`, which makes every turn twice.",
			tests: "determinism.TestEverySeededViolationIsFound; determinism.TestNothingIsFoundInCorrectOrchestrations; determinism.TestNothingIsFoundInOurOwnOrchestrations; enginetest.TestWhatIsNotDeterministicIsFound",
		},
		{
			id: "R4", title: "In memory or read again",
			here:  "An instance that rests in memory and one that is read again from its history decide alike, whatever the code does; a worker may forget it at any time.",
			tests: "engine.TestRandomProgramsAreReplayedAlike; enginetest.TestEveryPlaceToCrashIsTried; storetest: 7 an answer is not from memory; dispatch.TestInstancesThatAreNotCachedAreReadAgain",
		},
	}},
	{title: "Status, tags, lists, purging", statements: []statement{
		{
			id: "L1", title: "Custom status",
			here:  "JSON up to 16 KiB, counted in UTF-16 as Durable Functions counts; more is `engine.ErrStatusTooLarge`, and leaves it as it was. It is seen at the end of the turn.",
			tests: "engine.TestCustomStatusIsBounded; engine.TestAConditionMaySetTheCustomStatusAndNothingElse",
		},
		{
			id: "L2", title: "Tags",
			here:  "`client.Tags` at the start; sub-orchestrations, the next execution and a restart have them too.",
			tests: "client.TestAStartMaySayMoreOfItsInstance; client.TestBadTagsAreRefused; engine.TestInstancesThatAreBegunGetTheVersionOfTheProgram; engine.TestAnInstanceKnowsItsVersion; storetest: create keeps what the start says of the instance",
		},
		{
			id: "L3", title: "Lists",
			here:  "`store.Query`: by status, time of creation, name, tags and prefix of the id, page by page; nobody is missed or shown twice who was there all the time.",
			tests: "storetest: a list has what its query asks for and nothing else; storetest: list pages through all instances in order; storetest: a list goes on where a page ended and nowhere else; client.TestListReturnsThePages; httpapi.TestAListIsWholeHoweverItIsCut",
		},
		{
			id: "L4", title: "Purging",
			here:  "One by its id, or all that have ended and match a query; nothing is left. One that has not ended is `client.ErrActive`. What has ended for so long is purged by the workers, if a time is set for its status; none is by default.",
			tests: "client.TestPurgeLeavesNothing; client.TestPurgeManyRemovesWhatHasEndedAndIsAskedFor; client.TestEveryOperationInEveryStatus; storetest: purge needs an ended instance and leaves nothing; tablestore.TestAPurgeMayEndAnywhere; tablestore.TestRunningWorkersPurgeWhatWasKeptForLongEnough",
		},
	}},
	{title: "Bounds", statements: []statement{
		{
			id: "D1", title: "History",
			here:      "One execution has 50,000 events and 64 MiB of them at most, unless the worker's options say otherwise. One that would have more fails with `engine.KindHistoryFull`; half full, it is warned of in the log. A termination always finds room, and continuing as new begins with none.",
			elsewhere: "No limit on Azure Storage; a history that does not fit into memory can be neither terminated nor purged by its status.",
			why:       "What grows without bound takes its worker down one day, and others with it.",
			tests:     "engine.TestAHistoryThatIsFullFailsItsInstance; engine.TestWithinItsBoundsAHistoryGrowsAndIsWarnedOfOnce; engine.TestAnExecutionThatContinuesAsNewIsNeverFull; engine.TestATerminationAlwaysFindsRoom",
		},
		{
			id: "D2", title: "Inbox",
			here:  "An instance whose turn nobody makes keeps 1,000 events from outside at most; more are refused with `client.ErrTooMany`. What instances send each other, and what acts on an instance as a whole, always finds room.",
			tests: "storetest: an inbox of hundreds is consumed whole; client.TestAnInstanceTakesNoMoreEventsThanIsGoodForIt",
		},
		{
			id: "D3", title: "What takes workers down",
			here:      "A turn or an activity that kills its worker, that panics outside the code it runs, or that never comes to an end, is tried five times; then the instance is parked: shown as Suspended, with the reason, and nothing rings for it. Other instances go on. Resuming tries again, and terminating and purging need none of its code.",
			elsewhere: "The message goes to a poison queue at best; on Azure Storage the instance is tried for ever, and takes others with it.",
			why:       "Nothing is lost by waiting for somebody who looks, and everything may be by trying for ever.",
			tests:     "storetest: 2 a turn that kills its worker is parked; storetest: 4 an activity that kills its worker is parked; storetest: 2 a turn that panics is parked; storetest: 2 what cannot be understood is parked and terminated; dispatch.TestATurnWithoutEndIsParkedAndOthersGoOn",
		},
	}},
	{title: "Seeing", statements: []statement{
		{
			id: "E1", title: "Traces",
			here:  "Spans by the names of DurableTask.Core, with the W3C context of what caused them carried through starts, events, activities and children. A trace is the same whichever worker made which turn, from memory or by replay; nothing is in it twice, and no payload.",
			tests: "telemetry.TestAStoryIsOneWholeTrace; telemetry.TestATraceIsWholeAfterACrash; telemetry.TestTwoWorkersMakeOneTrace; telemetry.TestTheTraceOfARequestGoesOn; telemetry.TestARequestOfAnActivityIsInItsTrace; telemetry.TestNoPayloadIsInASpanOrMetric",
		},
		{
			id: "E2", title: "Metrics and logs",
			here:  "Metrics count what happens, without ids; log lines name instance, execution and activity by the same keys everywhere.",
			tests: "telemetry.TestMetricsCountWhatHappens; engine.TestLogLinesHaveTheSameKeysEverywhere; telemetry.TestLinesOfAnActivitySayWhoseTheyAre",
		},
		{
			id: "E3", title: "Why an instance waits",
			here:  "What it waits for, since when, until when, and what happens then, in words, whatever state it is in; and its history as text.",
			tests: "explain.TestEveryStuckStateIsExplained; explain.TestTheSameIsSaidWhereverTheStateIsKept; history.TestAHistoryCanBeReadByPeople",
		},
	}},
	{title: "Change while instances run", statements: []statement{
		{
			id: "V1", title: "The version of an instance",
			here:  "Stamped at its start, from the start itself or the program, and told by `engine.Context.Version`; what it begins gets the version of the program that begins it, unless the call says another.",
			tests: "engine.TestAnInstanceKnowsItsVersion; engine.TestInstancesThatAreBegunGetTheVersionOfTheProgram; client.TestAStartMaySayMoreOfItsInstance; httpapi.TestAStartMaySayItsVersion",
		},
		{
			id: "V2", title: "Which worker runs it",
			here:  "`dispatch.MatchNone`, `dispatch.MatchStrict` or `dispatch.MatchCurrentOrOlder`, compared as Durable Functions compares. Others are left for another worker, and that is said; with `dispatch.Options.FailMismatch` they fail.",
			tests: "dispatch.TestVersionsAreComparedAsDurableFunctionsDoes; dispatch.TestAWorkerMatchesVersionsByItsStrategy; dispatch.TestWhatAWorkerMustNotRunIsLeftForOneThatMay; dispatch.TestAVersionThatNobodyRunsMayFail; engine.TestAVersionMayBeTurnedAway",
		},
		{
			id: "V3", title: "A name that a worker does not know",
			here:  "An orchestration is left for a worker that knows it, with a line in the log, and what comes for it is kept. An activity that is not registered fails its call.",
			why:   "An orchestration without its activities is a mistake in the program, and one that waits for ever does not show it.",
			tests: "dispatch.TestWhatAWorkerMustNotRunIsLeftForOneThatMay; engine.TestUnknownOrchestrationIsNotTouched; engine.TestActivityGetsItsCallAndPanicsAreCaught",
		},
		{
			id: "V4", title: "One changed branch",
			here:  "`engine.Context.Patched` keeps instances that came by before on the old branch; the call can be removed when none is left.",
			tests: "engine.TestAPatchLeavesRunningInstancesOnTheirBranch; engine.TestAPatchCanBeRemoved; engine.TestTheRecordOfAPatchAtTheEndIsNoMismatch",
		},
	}},
}
