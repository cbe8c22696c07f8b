// Package settings is the one table of the app's settings: what each is called, what it may be, what it is when nobody
// says, and what it means. The code, the help text and the infrastructure all follow this table.
//
// A value is looked for in three places. A flag wins over an environment variable, which wins over the default; on App
// Service, the defaults of the hub's name and owner are made from the site's name. The environment variable of a setting
// is named as the setting is, because that is how an app setting reaches a process in Azure; the flag is the same name in
// kebab case. A secret has no flag: a command line is visible to every process on the
// machine and stays in the shell's history.
//
//	values, rest, err := settings.Load(os.Args[1:], os.LookupEnv)
//	timeout := values.Duration(settings.SmsVerifyTimeout)
//
// [Load] reports everything that is wrong at once. Values are fixed when it returns, so they may be read from any
// number of goroutines.
package settings
