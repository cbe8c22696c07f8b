package human

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf16"
)

// wording is the message with a code in a language.
type wording struct {
	text            string // with the code and how long it is valid
	minute, minutes string
	seconds         string
}

// wordings has the languages. Each message fits into one segment, whatever the
// code and the time.
func wordings() map[string]wording {
	return map[string]wording{
		"en": {"Your verification code is %s. It is valid for %s.", "1 minute", "%d minutes", "%d seconds"},
		"de": {"Ihr Bestätigungscode ist %s. Er gilt %s.", "1 Minute", "%d Minuten", "%d Sekunden"},
		"es": {"Su clave de un solo uso es %s. Vale durante %s.", "1 minuto", "%d minutos", "%d segundos"},
		"fr": {"Votre code de vérification est %s. Il est valable %s.", "1 minute", "%d minutes", "%d secondes"},
		"it": {"Il codice di verifica è %s. Vale per %s.", "1 minuto", "%d minuti", "%d secondi"},
		"nl": {"Uw verificatiecode is %s. De code is %s geldig.", "1 minuut", "%d minuten", "%d seconden"},
		"pl": {"Kod weryfikacyjny: %s. Wygasa po %s.", "1 min", "%d min", "%d s"},
		"pt": {"O seu código é %s. É válido por %s.", "1 minuto", "%d minutos", "%d segundos"},
		"sv": {"Din verifieringskod är %s. Den gäller i %s.", "1 minut", "%d minuter", "%d sekunder"},
	}
}

// Text returns the message with a code that is valid for a time, in the language
// of a locale such as de-CH; in English if that is not known.
func Text(locale string, code Code, valid time.Duration) string {
	language, _, _ := strings.Cut(strings.ReplaceAll(locale, "_", "-"), "-")
	all := wordings()
	w, ok := all[strings.ToLower(language)]
	if !ok {
		w = all["en"]
	}
	return fmt.Sprintf(w.text, code.Reveal(), w.inWords(valid))
}

// inWords writes a duration for people.
func (w wording) inWords(d time.Duration) string {
	switch {
	case d == time.Minute:
		return w.minute
	case d%time.Minute == 0:
		return fmt.Sprintf(w.minutes, d/time.Minute)
	default:
		return fmt.Sprintf(w.seconds, d/time.Second)
	}
}

// The alphabet of text messages by GSM 03.38: what takes one place in a message,
// and what takes two.
const (
	gsmOnce  = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmTwice = "^{}\\[~]|€\f"
)

// Segments returns as how many messages a text is sent and charged: one for 160
// characters of the GSM alphabet, or for 70 if one is not in it, and in longer
// texts one for each 153 or 67. Some characters, such as the euro sign in the one
// and emoji in the other, count twice and are not split. No text is one.
func Segments(text string) int {
	widths, whole, part := gsmWidths(text), 160, 153
	if widths == nil {
		widths, whole, part = utf16Widths(text), 70, 67
	}
	total := 0
	for _, w := range widths {
		total += w
	}
	if total <= whole {
		return 1
	}
	segments, used := 1, 0
	for _, w := range widths {
		if used+w > part {
			segments, used = segments+1, 0
		}
		used += w
	}
	return segments
}

// gsmWidths returns how many places each character takes; nil if one is not in
// the alphabet.
func gsmWidths(text string) []int {
	widths := make([]int, 0, len(text))
	for _, r := range text {
		switch {
		case strings.ContainsRune(gsmOnce, r):
			widths = append(widths, 1)
		case strings.ContainsRune(gsmTwice, r):
			widths = append(widths, 2)
		default:
			return nil
		}
	}
	return widths
}

// utf16Widths returns how many places each character takes in UTF-16.
func utf16Widths(text string) []int {
	widths := make([]int, 0, len(text))
	for _, r := range text {
		widths = append(widths, max(1, utf16.RuneLen(r)))
	}
	return widths
}
