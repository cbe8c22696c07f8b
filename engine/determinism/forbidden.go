package determinism

import (
	"go/types"
	"slices"
	"strings"
)

// rule says what is wrong with something and what to use instead.
type rule struct{ what, instead string }

// The reasons, each with the engine's own alternative. In what, %s is the thing.
var (
	clock      = rule{"%s reads the clock", "use ctx.Now()"}
	sleeping   = rule{"%s waits for the clock of this process", "await ctx.CreateTimer(ctx.Now().Add(…))"}
	zone       = rule{"%s depends on the time zone of the machine", "keep times in UTC, or name a location in the input"}
	randomness = rule{"%s is different each time", "draw in an activity, or derive from ctx.NewGUID()"}
	identity   = rule{"%s is different each time", "use ctx.NewGUID()"}
	io         = rule{"%s does I/O", "do it in an activity"}
	machine    = rule{"%s depends on the process or the machine", "ask an activity, or take it as input"}
	printing   = rule{"%s writes a line at every replay", "use ctx.Logger(), which is silent during replay"}
	locking    = rule{"%s waits for or shares memory with other goroutines", "keep state in local variables; an orchestration is alone in its instance"}
	spawning   = rule{"%s starts a goroutine", "begin a branch with engine.Go, or start tasks and await them together with engine.WhenAll"}
	channel    = rule{"%s", "use events and tasks: engine.WaitForExternalEvent, engine.Select"}
	deadline   = rule{"%s belongs to one process and does not outlive it", "give a task a deadline with engine.Until, and do I/O in an activity"}
	global     = rule{"%s is shared by all instances and lost with the process", "keep it in a local variable, or hand it to ContinueAsNew"}
	order      = rule{"%s in an order that differs each time", "sort the keys first: for _, k := range slices.Sorted(maps.Keys(m))"}
	unwind     = rule{"%s would catch the signal that puts the orchestration away", "return errors instead of panicking"}
)

// functions are forbidden functions and variables by package. A method is
// written Type.Method; Type.* stands for all methods of a type, * for all
// functions of the package. A leading ! takes something out again.
var forbidden = []struct {
	path  string
	rule  rule
	names string
}{
	{"time", clock, "Now Since Until"},
	{"time", sleeping, "Sleep After AfterFunc NewTimer NewTicker Tick"},
	{"time", zone, "Local Time.Local"},
	{"math/rand", randomness, "* !New !NewSource !NewZipf"},
	{"math/rand/v2", randomness, "* !New !NewPCG !NewChaCha8 !NewZipf"},
	{"crypto/rand", randomness, "* Reader"},
	{"hash/maphash", randomness, "MakeSeed Bytes String Comparable Hash.*"},
	{"github.com/google/uuid", identity, "New NewString NewRandom NewRandomFromReader NewUUID NewV6 NewV7 NewV7FromReader NewDCEGroup NewDCEPerson NewDCESecurity"},
	{"github.com/gofrs/uuid", identity, "NewV1 NewV4 NewV6 NewV7"},
	{"github.com/rs/xid", identity, "New NewWithTime"},
	{"github.com/oklog/ulid/v2", identity, "Make Now New MustNew"},
	{"github.com/segmentio/ksuid", identity, "New NewRandom"},
	{"os", io, "* File.* Process.* Root.* Stdin Stdout Stderr !Getenv !LookupEnv !Environ !ExpandEnv !Hostname !Getpid !Getppid !Getuid !Getwd !Executable !Exit !IsExist !IsNotExist !IsPermission !IsTimeout !IsPathSeparator !Expand !NewSyscallError"},
	{"os", machine, "Getenv LookupEnv Environ ExpandEnv Hostname Getpid Getppid Getuid Getwd Executable Exit Args"},
	{"os/exec", io, "* Cmd.*"},
	{"os/signal", io, "*"},
	{"os/user", machine, "*"},
	{"io/ioutil", io, "* !NopCloser !ReadAll"},
	{"path/filepath", io, "Abs EvalSymlinks Glob Walk WalkDir"},
	{"syscall", io, "*"},
	{"net", io, "Dial DialTimeout DialTCP DialUDP DialUnix DialIP Listen ListenPacket ListenTCP ListenUDP ListenUnix LookupAddr LookupCNAME LookupHost LookupIP LookupMX LookupNS LookupPort LookupSRV LookupTXT Interfaces InterfaceAddrs Dialer.* Resolver.* Conn.* Listener.*"},
	{"net/http", io, "Get Post PostForm Head ListenAndServe ListenAndServeTLS Serve ServeTLS Client.* Transport.* RoundTripper.* Server.* DefaultClient"},
	{"net/smtp", io, "* Client.*"},
	{"net/rpc", io, "* Client.*"},
	{"crypto/tls", io, "Dial DialWithDialer Listen Conn.* Dialer.*"},
	{"database/sql", io, "Open OpenDB DB.* Tx.* Conn.* Stmt.* Rows.* Row.*"},
	{"fmt", printing, "Print Printf Println"},
	{"fmt", io, "Scan Scanf Scanln"},
	{"log", printing, "* Logger.* !New"},
	{"log/slog", printing, "Debug DebugContext Info InfoContext Warn WarnContext Error ErrorContext Log LogAttrs Default SetDefault With"},
	{"sync", locking, "Mutex.* RWMutex.* Cond.* Once.* WaitGroup.Wait WaitGroup.Add WaitGroup.Done Map.* Pool.* OnceFunc OnceValue OnceValues"},
	{"sync", spawning, "WaitGroup.Go"},
	{"sync/atomic", locking, "* Int32.* Int64.* Uint32.* Uint64.* Bool.* Pointer.* Value.* Uintptr.*"},
	{"golang.org/x/sync/errgroup", spawning, "Group.Go Group.TryGo Group.Wait WithContext"},
	{"golang.org/x/sync/semaphore", locking, "Weighted.*"},
	{"golang.org/x/sync/singleflight", locking, "Group.*"},
	{"context", deadline, "* !Cause"},
	{"runtime", machine, "* !KeepAlive"},
	{"runtime/debug", machine, "*"},
	{"maps", order, "Keys Values All"},
	{"reflect", order, "Value.MapKeys Value.MapRange"},
}

// verdicts finds the rule for a name: path, dot, name.
var verdicts = func() map[string]rule {
	m := map[string]rule{}
	for _, f := range forbidden {
		for name := range strings.FieldsSeq(f.names) {
			if strings.HasPrefix(name, "!") {
				m[f.path+"."+name[1:]] = rule{}
			} else if _, taken := m[f.path+"."+name]; !taken || m[f.path+"."+name] == (rule{}) {
				m[f.path+"."+name] = f.rule
			}
		}
	}
	return m
}()

// judge returns the rule against a function or variable that is no part of the
// package which uses it.
func judge(object types.Object) (rule, bool) {
	if object.Pkg() == nil {
		return rule{}, false
	}
	path, name := object.Pkg().Path(), object.Name()
	wild := "*"
	if f, ok := object.(*types.Func); ok {
		if receiver := receiverOf(f); receiver != "" {
			name, wild = receiver+"."+name, receiver+".*"
		}
	} else {
		wild = "" // a variable must be named
	}
	for _, key := range []string{name, wild} {
		if r, ok := verdicts[path+"."+key]; ok && key != "" {
			return r, r != rule{}
		}
	}
	return rule{}, false
}

// receiverOf returns the name of a method's type; empty for a function.
func receiverOf(f *types.Func) string {
	receiver := f.Signature().Recv()
	if receiver == nil {
		return ""
	}
	t := receiver.Type()
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	if n, ok := types.Unalias(t).(*types.Named); ok {
		return n.Obj().Name()
	}
	return "?"
}

// sorters are the functions that put a slice in order.
var sorters = []string{"sort.Slice", "sort.SliceStable", "sort.Sort", "sort.Stable", "sort.Strings", "sort.Ints", "sort.Float64s", "slices.Sort", "slices.SortFunc", "slices.SortStableFunc"}

// orderly are the functions to whose result the order of an iterator makes no
// difference.
var orderly = []string{"slices.Sorted", "slices.SortedFunc", "slices.SortedStableFunc", "maps.Collect", "maps.Insert"}

func isOneOf(object types.Object, names []string) bool {
	return object != nil && object.Pkg() != nil && slices.Contains(names, object.Pkg().Path()+"."+object.Name())
}
