package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/inputs"
)

// called keeps how a fake tool was called: its arguments as they are, and the names of its variables with what they hold, of
// which secrets are replaced.
func called(name string) {
	f, err := os.OpenFile(os.Getenv(callsVariable), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	fmt.Fprintf(f, "%s %s\n", name, strings.Join(os.Args[1:], " "))
	env := os.Environ()
	slices.Sort(env)
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		if strings.HasPrefix(name, "HOLDFAST_") || strings.HasPrefix(name, "TF_VAR_") || strings.HasPrefix(name, "ARM_") {
			if strings.Contains(value, canary) {
				value = "(secret)"
			}
			fmt.Fprintf(f, "  %s=%s\n", name, value)
		}
	}
}

// bicepProgram is a compiler that writes no resources, and of a parameter file what the environment has.
func bicepProgram() {
	called("bicep")
	args := os.Args[1:]
	switch {
	case args[0] == "--version":
		fmt.Println("Bicep CLI version 0.38.5 (0123456789)")
	case isThere(filepath.Join(filepath.Dir(args[1]), "broken")):
		fmt.Fprintf(os.Stderr, "%s(1,1) : Error BCP000: %s is nothing that I like\n", args[1], os.Getenv("HOLDFAST_API_KEY"))
		os.Exit(1)
	case args[0] == "build":
		fmt.Println(`{"contentVersion": "1.0.0.0", "resources": []}`)
	case args[0] == "build-params":
		buildParameters(args[1])
	}
}

func buildParameters(file string) {
	t, err := load(file)
	if err != nil {
		panic(err)
	}
	values := map[string]any{}
	for _, in := range inputs.Of(t, os.LookupEnv) {
		if in.From == inputs.FromEnv {
			values[in.Parameter.Name] = map[string]string{"value": in.Value.Reveal()}
		}
	}
	parameters, err := json.Marshal(map[string]any{"parameters": values})
	if err != nil {
		panic(err)
	}
	_ = json.NewEncoder(os.Stdout).Encode(map[string]string{"templateJson": `{"resources": []}`, "parametersJson": string(parameters)})
}

// terraformProgram keeps its state in a file beside the module, plans what is in plan.json, and waits in apply if there is a
// file hold.
func terraformProgram() {
	called("terraform")
	args := os.Args[1:]
	isDone := isThere("state.json")
	switch args[0] {
	case "version":
		fmt.Println(`{"terraform_version": "1.13.3", "platform": "linux_amd64", "provider_selections": {}}`)
	case "init":
		if isThere("no-provider") {
			fmt.Fprintln(os.Stderr, "Error: no provider "+os.Getenv("TF_VAR_api_key"))
			os.Exit(1)
		}
	case "plan":
		for _, a := range args {
			if file, ok := strings.CutPrefix(a, "-out="); ok {
				must(os.WriteFile(file, []byte("a plan"), 0o600))
			}
		}
		if !isDone {
			os.Exit(2)
		}
	case "show":
		text, err := os.ReadFile(map[bool]string{false: "plan.json", true: "empty.json"}[isDone])
		must(err)
		fmt.Println(string(text))
	case "apply":
		apply()
	case "output":
		text := []byte("{}")
		if isDone {
			var err error
			text, err = os.ReadFile("state.json")
			must(err)
		}
		fmt.Println(string(text))
	case "destroy":
		must(os.Remove("state.json"))
		fmt.Println(`{"type": "apply_complete", "hook": {"resource": {"addr": "azurerm_key_vault.main"}, "action": "delete", "elapsed_seconds": 3}}`)
	}
}

func apply() {
	fmt.Println(`{"type": "apply_start", "hook": {"resource": {"addr": "azurerm_key_vault.main"}, "action": "create"}}`)
	if isThere("fails") {
		must(os.Remove("fails"))
		fmt.Println(`{"type": "apply_errored", "hook": {"resource": {"addr": "azurerm_key_vault.main"}, "action": "create", "elapsed_seconds": 1}}`)
		fmt.Printf(`{"type": "diagnostic", "diagnostic": {"severity": "error", "summary": "the vault doesn't like %s"}}`+"\n", os.Getenv("TF_VAR_api_key"))
		os.Exit(1)
	}
	if isThere("hold") {
		stopped()
	}
	fmt.Println(`{"type": "apply_complete", "hook": {"resource": {"addr": "azurerm_key_vault.main"}, "action": "create", "elapsed_seconds": 2}}`)
	text, err := os.ReadFile("outputs.json")
	must(err)
	must(os.WriteFile("state.json", text, 0o600))
}

// stopped lets the script know that something was begun, waits until it is told to stop, and writes its state before it does.
func stopped() {
	must(os.Remove("hold"))
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, os.Interrupt)
	began, err := http.NewRequest(http.MethodPut, os.Getenv(azureVariable)+"/subscriptions/s/resourceGroups/rg/providers/Microsoft.Resources/deployments/terraform", strings.NewReader("{}"))
	must(err)
	began.Header.Set("Authorization", "Bearer none")
	resp, err := http.DefaultClient.Do(began)
	must(err)
	must(resp.Body.Close())
	<-asked
	must(os.WriteFile("stopped", nil, 0o600))
	os.Exit(1)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
