// Package receipt makes and verifies receipts: files that prove, without a network
// or a store, what people were shown, what they answered, how it was known who they
// were, and when.
//
// A receipt is made from the history of an instance. It has a line of JSON for each
// thing that happened, and each line holds a hash over itself and the line before,
// so none can be changed, left out, put in or moved without breaking the chain. The
// last line is signed with Ed25519. [Verify] finds the first line that is wrong.
//
// Who holds a receipt holds it against later ones: [Receipt.Continues] tells whether
// a later receipt of the same run tells the same up to where the earlier one ended.
// So a history that is changed in the store betrays itself to everybody who was
// given a receipt before.
//
// A one-time code is in a receipt as it is in the history: as its seal.
package receipt
