package settings

// approvalSettings are those of the scenarios in which people approve something.
func approvalSettings() []Setting {
	const person = `[!-+\--~]{1,254}` // anything but a comma
	const people, phones = `^` + person + `(,` + person + `)*$`, `^([^=,\s]{1,254}=\+[1-9][0-9]{7,14})(,[^=,\s]{1,254}=\+[1-9][0-9]{7,14})*$`
	return []Setting{
		{Name: ExpenseManagers, Kind: KindText, Default: "boss@example.org", Pattern: people, Example: "boss@example.org",
			Meaning: "who approves an expense first, any one of them: ids such as e-mail addresses, with commas between"},
		{Name: ExpenseFinance, Kind: KindText, Default: "finance@example.org", Pattern: people, Example: "ann@example.org,bob@example.org",
			Meaning: "who approves it then, any one of them"},
		{Name: ExpenseEscalateTo, Kind: KindText, Default: "cfo@example.org", Pattern: people, Example: "cfo@example.org",
			Meaning: "who decides on an expense if the others have not answered"},
		{Name: ExpenseManagerTimeout, Kind: KindDuration, Default: "48h", Min: "1m", Max: "8760h", Example: "48h",
			Meaning: "how long the first of them have in all; then the expense expires"},
		{Name: ExpenseFinanceTimeout, Kind: KindDuration, Default: "72h", Min: "1m", Max: "8760h", Example: "72h",
			Meaning: "how long the second have in all"},
		{Name: ExpenseEscalateAfter, Kind: KindDuration, Default: "24h", Min: "1m", Max: "8760h", Example: "24h",
			Meaning: "how long it is before somebody above is asked as well, in each step"},
		{Name: ExpenseRemindAfter, Kind: KindDuration, Default: "4h", Min: "20m", Max: "8760h", Example: "4h",
			Meaning: "how long it is before those are reminded who have not answered"},
		{Name: ExpenseCodeFrom, Kind: KindInteger, Default: "0", Min: "0", Max: "1000000000", Example: "10000",
			Meaning: "the amount from which an approval takes a code from the approver's phone too; 0 is never"},
		{Name: ReleaseApprovers, Kind: KindText, Default: "ann@example.org,bob@example.org,carol@example.org", Pattern: people, Example: "ann@example.org,bob@example.org,carol@example.org",
			Meaning: "who lets a release through"},
		{Name: ReleaseNeed, Kind: KindInteger, Default: "2", Min: "1", Max: "20", Example: "2",
			Meaning: "how many of them it takes"},
		{Name: ReleaseVeto, Kind: KindText, Default: "security@example.org", Pattern: people, Example: "security@example.org",
			Meaning: "who can stop a release alone"},
		{Name: ReleaseTimeout, Kind: KindDuration, Default: "24h", Min: "1m", Max: "8760h", Example: "24h",
			Meaning: "how long a release waits for them; then it expires"},
		{Name: ReleaseRemindAfter, Kind: KindDuration, Default: "4h", Min: "20m", Max: "8760h", Example: "4h",
			Meaning: "how long it is before those are reminded who have not answered"},
		{Name: ClaimReviewFrom, Kind: KindInteger, Default: "1000", Min: "0", Max: "1000000000", Example: "1000",
			Meaning: "the amount from which somebody reviews a claim"},
		{Name: ClaimReviewTimeout, Kind: KindDuration, Default: "30s", Min: "5s", Max: "8760h", Example: "30s",
			Meaning: "how long a claim waits for a reviewer"},
		{Name: ApproverPhones, Kind: KindText, Pattern: phones, Example: "boss@example.org=+447700900123,cfo@example.org=+447700900124",
			Meaning: "the phones of those who approve, by id, for their codes and messages; empty: none are known"},
	}
}
