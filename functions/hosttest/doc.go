// Package hosttest is a stand-in for the Azure Functions host, for tests of programs that run as its custom handler. It starts the real
// binary, calls it as the host does, and fails where the host fails, so that a test on one's own machine shows what otherwise only
// Azure does. It knows nothing of Holdfast and serves any custom handler, in Go or not:
//
//	h := hosttest.New(t, hosttest.Options{
//		Root:     "app",                                                // the folder with host.json
//		Command:  []string{os.Args[0]},                                 // instead of host.json's executable
//		Settings: map[string]string{"AzureWebJobsStorage": connection}, // what the app's settings would be
//	})
//	answer, err := http.Post(h.URL()+"/api/Start", "application/json", body)
//	done, err := h.Wait(ctx, func(i hosttest.Invocation) bool { return i.Function == "Wake" })
//
// Queues are real: those of Azurite, or of a storage account.
//
// # What it does as the host does
//
//   - It reads host.json and every function.json, with the settings AzureFunctionsJobHost__… over the first and %Setting% in the second, and
//     refuses what the host refuses. Where the host would go on without a function, [Start] fails, as a test wants to know.
//   - It starts the handler on a free port, polls GET / every 25 ms until there is any answer, and starts it again when it ends: an exit code of 0
//     leaves the app dead, 200 is not counted, and with the third of all others it gives up.
//   - It invokes functions by POST /<name> with data and metadata encoded twice, merges the properties of a message into the metadata, and
//     takes no answer but an object: an empty one or null is waited for until functionTimeout.
//   - After functionTimeout it kills the handler, with everything that runs in it.
//   - It receives batches from queues and hides each message for ten minutes, lets a message whose invocation failed be seen after
//     visibilityTimeout, and moves it to the poison queue with the last try.
//   - It sets timers off by their schedules, and late when there was no machine.
//   - It answers HTTP under the prefix, checks keys, and proxies, forwards or wraps requests as host.json says. What is too large it refuses.
//   - It kills without a warning; no signal that can be caught comes, unless [Host.StopHandler] sends one.
//   - With [Options.Asleep] there is no machine until a request, a message that can be seen, or a schedule calls for one.
//
// Two ways to die are different: with [Host.KillHandler] the host lives and sees the invocations fail; with [Host.KillInstance] the
// machine is gone with the host on it, nobody releases messages, and they stay hidden until their ten minutes ([Options.Hiding]) are over.
//
// # What it does not do
//
// No output bindings but HTTP, no triggers but HTTP, queues and timers, no more than one machine: for several, start several hosts, with
// [Options.Only] as a plan that scales functions by themselves would. It takes no machine away by itself; [Host.KillInstance] does. Of host.json it
// knows no profiles, no httpWorker and no retry policies. The platform's own time-outs, 230 seconds for an HTTP answer and 240 for a proxied connection on
// which nothing comes, are not kept.
//
// # Where the facts are from
//
// From the source of azure-functions-host (4.1037) and its tests, of the WebJobs SDK's queue listener, of NCrontab, and from Microsoft's
// documentation of custom handlers where the source says nothing. docs/functions.md of this module lists them with the tests that hold them.
package hosttest
