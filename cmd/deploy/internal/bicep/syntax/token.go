package syntax

import "strconv"

// Kind says what a token is.
type Kind uint8

// The kinds of tokens. A string without holes is one token; one with holes is a StringLeft, the tokens of each hole with a
// StringMiddle between two holes, and a StringRight.
const (
	EndOfFile    Kind = iota
	NewLine           // one or more line ends without anything between them
	Identifier        // also keywords, which are words like any other where no keyword is expected
	Integer           // decimal digits
	True              // true
	False             // false
	Null              // null
	StringWhole       // '…', '''…''' or $'''…'''
	StringLeft        // '…${
	StringMiddle      // }…${
	StringRight       // }…'
	LeftBrace         // {
	RightBrace        // }
	LeftParen         // (
	RightParen        // )
	LeftSquare        // [
	RightSquare       // ]
	At                // @
	Comma             // ,
	Dot               // .
	Ellipsis          // ...
	Question          // ?
	Coalesce          // ??
	Colon             // :
	DoubleColon       // ::
	Semicolon         // ;
	Assign            // =
	Plus              // +
	Minus             // -
	Percent           // %
	Star              // *
	Slash             // /
	Caret             // ^
	Bang              // !
	Less              // <
	LessEqual         // <=
	Greater           // >
	GreaterEqual      // >=
	Equal             // ==
	NotEqual          // !=
	SameText          // =~
	OtherText         // !~
	And               // &&
	Or                // ||
	Pipe              // |
	Arrow             // =>
	Unknown           // a character that begins nothing
)

// The text of the kinds that always have the same.
var fixed = map[Kind]string{
	True: "true", False: "false", Null: "null", LeftBrace: "{", RightBrace: "}", LeftParen: "(", RightParen: ")",
	LeftSquare: "[", RightSquare: "]", At: "@", Comma: ",", Dot: ".", Ellipsis: "...", Question: "?", Coalesce: "??",
	Colon: ":", DoubleColon: "::", Semicolon: ";", Assign: "=", Plus: "+", Minus: "-", Percent: "%", Star: "*", Slash: "/",
	Caret: "^", Bang: "!", Less: "<", LessEqual: "<=", Greater: ">", GreaterEqual: ">=", Equal: "==", NotEqual: "!=",
	SameText: "=~", OtherText: "!~", And: "&&", Or: "||", Pipe: "|", Arrow: "=>",
}

var named = map[Kind]string{
	EndOfFile: "the end of the file", NewLine: "the end of the line", Identifier: "a name", Integer: "a number",
	StringWhole: "a string", StringLeft: "a string", StringMiddle: `"}"`, StringRight: `"}"`,
	Unknown: "a character that means nothing here",
}

// String returns what to call such a token in a message.
func (k Kind) String() string {
	if name, ok := named[k]; ok {
		return name
	}
	return strconv.Quote(fixed[k])
}

// Sign returns the text of a kind that always has the same, such as an operator, and "" for others.
func (k Kind) Sign() string { return fixed[k] }

// Token is one word or sign. What comes before it and is no token, space and comments, reaches from the end of the token
// before it.
type Token struct {
	Kind       Kind
	Start, End int // byte offsets
}

// Comment is a comment with its marks.
type Comment struct {
	Start, End int
	Block      bool // /* … */ and not // …
}

// Directive is a line like "#disable-next-line no-unused-params". Directives are part of the space between tokens.
type Directive struct {
	Name       string   // disable-next-line, disable-diagnostics or restore-diagnostics
	Codes      []string // what it names, at least one unless a problem says otherwise
	Start, End int
}
