// Drives every operation of the durable-functions client against a server, and
// prints what came of each as a line of JSON. Arguments: the base URL of the
// management API, and rpc or webhook.
"use strict";
const df = require("durable-functions");

const [base, mode] = process.argv.slice(2);
const query = "taskHub=Holdfast&connection=Storage&code=none";
const of = (path, reason) => `${base}/instances/INSTANCEID${path}?${reason ? "reason={text}&" : ""}${query}`;

// What the Functions host hands to a function with a durableClient binding.
const data = {
  taskHubName: "Holdfast",
  creationUrls: {
    createNewInstancePostUri: `${base}/orchestrators/{functionName}[/{instanceId}]?code=none`,
    createAndWaitOnNewInstancePostUri: `${base}/orchestrators/{functionName}[/{instanceId}]?timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}&code=none`,
  },
  managementUrls: {
    id: "INSTANCEID",
    statusQueryGetUri: of(""),
    sendEventPostUri: of("/raiseEvent/{eventName}"),
    terminatePostUri: of("/terminate", true),
    rewindPostUri: of("/rewind", true),
    purgeHistoryDeleteUri: of(""),
    restartPostUri: of("/restart"),
    suspendPostUri: of("/suspend", true),
    resumePostUri: of("/resume", true),
  },
  baseUrl: base,
  requiredQueryStringParameters: "code=none",
  rpcBaseUrl: mode === "rpc" ? base + "/" : undefined,
};

const binding = df.input.durableClient();
const client = df.getClient({ options: { extraInputs: [binding] }, extraInputs: new Map([[binding, data]]) });
const request = { url: base };

const answer = async (response) => ({ status: response.status, body: await response.json() });
const since = new Date("2020-01-01T00:00:00Z");

const steps = [
  ["startNew without input", () => client.startNew("Echo")],
  ["startNew with id and input", () => client.startNew("Echo", { instanceId: "echo", input: { n: 1, text: "é+ü" } })],
  ["startNew again over what ended", () => client.startNew("Echo", { instanceId: "echo", input: 0 })],
  ["startNew with a version", () => client.startNew("Approve", { instanceId: "approve", input: [1], version: "2.0" })],
  ["startNew of an id that runs", () => client.startNew("Approve", { instanceId: "approve" })],
  ["startNew of what there is not", () => client.startNew("Nothing")],
  ["startNew with an awkward id", () => client.startNew("Approve", { instanceId: "a b+c:d" })],
  ["getStatus with an awkward id", async () => (await client.getStatus("a b+c:d")).instanceId],
  ["getStatus", () => client.getStatus("approve")],
  ["getStatus with everything", () => client.getStatus("echo", { showHistory: true, showHistoryOutput: true, showInput: true })],
  ["getStatus of nobody", () => client.getStatus("nobody")],
  ["suspend", () => client.suspend("approve", "lunch & rest")],
  ["getStatus of the suspended", async () => (await client.getStatus("approve")).runtimeStatus],
  ["suspend twice", () => client.suspend("approve", "lunch")],
  ["resume", () => client.resume("approve", "back")],
  ["suspend nobody", () => client.suspend("nobody", "x")],
  ["resume nobody", () => client.resume("nobody", "x")],
  ["raiseEvent that nobody waits for", () => client.raiseEvent("approve", "Other", { by: "Ann" })],
  ["raiseEvent with a falsy payload", () => client.raiseEvent("approve", "Other", 0)],
  ["raiseEvent without a payload", () => client.raiseEvent("a b+c:d", "Approval")],
  ["raiseEvent", () => client.raiseEvent("approve", "Approval", { yes: true }, { taskHubName: "Holdfast", connectionName: "Storage" })],
  ["raiseEvent to what ended", () => client.raiseEvent("approve", "Approval", 1)],
  ["raiseEvent to nobody", () => client.raiseEvent("nobody", "Approval", 1)],
  ["getStatus of the approved", async () => (await client.getStatus("approve")).output],
  ["getStatus of the empty", async () => (await client.getStatus("a b+c:d")).output],
  ["startNew to be terminated", () => client.startNew("Approve", { instanceId: "term" })],
  ["terminate", () => client.terminate("term", "no more")],
  ["getStatus of the terminated", async () => (({ runtimeStatus, output }) => ({ runtimeStatus, output }))(await client.getStatus("term"))],
  ["terminate what ended", () => client.terminate("term", "again")],
  ["terminate nobody", () => client.terminate("nobody", "x")],
  ["startNew that fails", () => client.startNew("Broken", { instanceId: "broken" })],
  ["rewind nobody", () => client.rewind("nobody", "again")],
  ["rewind what completed", () => client.rewind("approve", "again")],
  ["rewind what failed", () => client.rewind("broken", "again")],
  ["wait for what completed", async () => answer(await client.waitForCompletionOrCreateCheckStatusResponse(request, "echo"))],
  ["wait for what was terminated", async () => (await client.waitForCompletionOrCreateCheckStatusResponse(request, "term")).status],
  ["startNew to be waited for", () => client.startNew("Approve", { instanceId: "late" })],
  ["wait for what goes on", async () =>
    (await client.waitForCompletionOrCreateCheckStatusResponse(request, "late", { timeoutInMilliseconds: 0, retryIntervalInMilliseconds: 0 })).status],
  ["createCheckStatusResponse", async () => answer(client.createCheckStatusResponse(request, "late"))],
  ["createHttpManagementPayload", () => client.createHttpManagementPayload("late")],
  ["getStatusAll", async () => (await client.getStatusAll()).map((s) => s.instanceId.replace(/^[0-9a-f]{32}$/, "{new id}")).sort()],
  ["getStatusBy", async () =>
    (await client.getStatusBy({ createdTimeFrom: since, createdTimeTo: new Date("2030-01-01"), runtimeStatus: ["Terminated", "Running"] })).map((s) => s.instanceId)],
  ["readEntityState", () => client.readEntityState(new df.EntityId("counter", "a"))],
  ["signalEntity", () => client.signalEntity(new df.EntityId("counter", "a"), "add", 1)],
  ["purgeInstanceHistory", () => client.purgeInstanceHistory("echo")],
  ["purgeInstanceHistory of nobody", () => client.purgeInstanceHistory("nobody")],
  ["purgeInstanceHistory of what goes on", () => client.purgeInstanceHistory("late")],
  ["purgeInstanceHistoryBy", () => client.purgeInstanceHistoryBy({ createdTimeFrom: since, createdTimeTo: new Date("2030-01-01"), runtimeStatus: ["Terminated"] })],
  ["purgeInstanceHistoryBy that finds none", () => client.purgeInstanceHistoryBy({ createdTimeFrom: since, runtimeStatus: ["Terminated"] })],
];

(async () => {
  for (const [name, run] of steps) {
    const line = { name };
    try {
      line.result = (await run()) ?? null;
    } catch (error) {
      line.error = error.message;
    }
    console.log(JSON.stringify(line));
  }
})();
