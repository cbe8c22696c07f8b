// Package host speaks the custom-handler protocol of Azure Functions: what the Functions host, a program of Microsoft's that starts
// ours and calls it over HTTP, expects of us. It knows nothing of Holdfast.
//
//	address, hosted, err := host.Address(os.LookupEnv)
//	listener, err := net.Listen("tcp", address)       // before anything slow
//	door := host.NewDoor(early)                       // answers the host, and what else must not wait
//	go server.Serve(listener)                         // with the door as handler
//	…                                                 // open the store
//	door.Open(host.New(host.Options{Functions: …, HTTP: app}))
//
// # Two ways in
//
// A function whose trigger is a queue or a timer is invoked by POST /<name> with an envelope, in which the data of the trigger is
// encoded twice ([Decode]), and is answered by an envelope. A function with an HTTP trigger and an HTTP output reaches us as the
// request that the caller made, with its path, and the answer goes back as it is: host.json sets enableProxyingHttpRequest. The
// host can also put HTTP requests into envelopes, or forward them as a copy (enableForwardingHttpRequest). Proxying is the
// only one of the three that
//
//   - streams, so that a caller can follow an instance;
//   - leaves the query as it was sent: forwarding writes it anew from a dictionary, and a signature over the URL, such as Twilio's,
//     may no longer fit;
//   - takes a chunked body, which the others drop;
//   - needs no second form of every route, as the same handler serves a local run.
//
// A host too old to know the setting ignores it and sends envelopes for HTTP triggers as well, which are answered 404 here: the
// app is then dead at once and visibly, and not wrong in the one case in a thousand where a signature is checked.
//
// # What the host does to us
//
// It polls GET / every 25 ms from the start until any answer comes, and gives up after initializationTimeout. It kills without a warning
// (SIGKILL), and when one invocation runs into functionTimeout it kills the process with all the others. It takes
// an answer of 2xx without a JSON object for no answer at all and waits for one until then. An exit code of 0 it takes for the
// end of all work. So [Door] answers at once, a watchdog cuts off what runs too long, every answer has an object, and [ExitCode] is never 0.
//
// # Trust
//
// Nothing proves that a request was made by the host. So we listen on a loopback address only ([Address]), and what is invoked by an envelope is not
// reached from outside, as the paths of HTTP triggers begin with a prefix. Should somebody empty the prefix, a
// request that shows traces of a proxy, as all from outside do, is answered as if the function were not there.
package host
