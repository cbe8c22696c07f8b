package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/seed21523604/holdfast/engine/telemetry"
	"github.com/seed21523604/holdfast/functions/settings"
)

// collector is what sends spans and metrics away. The zero collector sends nothing.
type collector struct {
	telemetry *telemetry.Telemetry
	patience  time.Duration // for a collector that takes what is left
	stops     []func(context.Context) error
}

// openCollector returns what sends to the collector that the settings name; it
// sends nothing if they name none.
func openCollector(ctx context.Context, values settings.Values, logger *slog.Logger) (*collector, error) {
	c := &collector{patience: 5 * time.Second}
	if values.Text(settings.OTEL_EXPORTER_OTLP_ENDPOINT) == "" || values.Text(settings.OTEL_SDK_DISABLED) == "true" {
		return c, nil
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { logger.Warn("send telemetry", "error", err) }))
	o, err := exportOptions(values)
	if err != nil {
		return nil, err
	}
	var t telemetry.Options
	if values.Text(settings.OTEL_TRACES_EXPORTER) == "otlp" {
		traces, err := o.traces(ctx)
		if err != nil {
			return nil, err
		}
		t.Tracers, c.stops = traces, append(c.stops, traces.Shutdown)
	}
	if values.Text(settings.OTEL_METRICS_EXPORTER) == "otlp" {
		metrics, err := o.metrics(ctx)
		if err != nil {
			return nil, errors.Join(err, c.stop(ctx))
		}
		t.Meters, c.stops = metrics, append(c.stops, metrics.Shutdown)
	}
	c.telemetry, err = telemetry.New(t)
	return c, err
}

// stop sends what is left.
func (c *collector) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	var errs []error
	for _, stop := range c.stops {
		errs = append(errs, stop(ctx))
	}
	return errors.Join(errs...)
}

// protocolOTLP is what the exporters speak.
const protocolOTLP = "http/protobuf"

// export says what is sent where. What is not in the table of settings, the SDK
// reads from the environment by itself: batches, time-outs, certificates.
type export struct {
	endpoint string
	headers  map[string]string
	resource *resource.Resource
	sampler  sdktrace.Sampler
}

func exportOptions(values settings.Values) (*export, error) {
	if protocol := values.Text(settings.OTEL_EXPORTER_OTLP_PROTOCOL); protocol != protocolOTLP {
		return nil, fmt.Errorf("%s is %s, and telemetry is sent by %s", settings.OTEL_EXPORTER_OTLP_PROTOCOL, protocol, protocolOTLP)
	}
	headers, err := pairs(values.Secret(settings.OTEL_EXPORTER_OTLP_HEADERS).Reveal())
	if err != nil {
		return nil, fmt.Errorf("%s is no list of name=value with commas between", settings.OTEL_EXPORTER_OTLP_HEADERS)
	}
	attributes, err := pairs(values.Text(settings.OTEL_RESOURCE_ATTRIBUTES))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", settings.OTEL_RESOURCE_ATTRIBUTES, err)
	}
	list := []attribute.KeyValue{attribute.String("service.name", values.Text(settings.OTEL_SERVICE_NAME))}
	for name, value := range attributes {
		list = append(list, attribute.String(name, value))
	}
	res, err := resource.Merge(resource.Default(), resource.NewSchemaless(list...))
	if err != nil {
		return nil, fmt.Errorf("name the service for telemetry: %w", err)
	}
	return &export{
		endpoint: values.Text(settings.OTEL_EXPORTER_OTLP_ENDPOINT), headers: headers, resource: res,
		sampler: sampler(values.Text(settings.OTEL_TRACES_SAMPLER), values.Text(settings.OTEL_TRACES_SAMPLER_ARG)),
	}, nil
}

func (o *export) traces(ctx context.Context) (*sdktrace.TracerProvider, error) {
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(o.endpoint+"/v1/traces"), otlptracehttp.WithHeaders(o.headers))
	if err != nil {
		return nil, fmt.Errorf("send traces to %s: %w", o.endpoint, err)
	}
	return sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter), sdktrace.WithResource(o.resource), sdktrace.WithSampler(o.sampler), sdktrace.WithIDGenerator(telemetry.IDs{}),
	), nil
}

func (o *export) metrics(ctx context.Context) (*sdkmetric.MeterProvider, error) {
	exporter, err := otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpointURL(o.endpoint+"/v1/metrics"), otlpmetrichttp.WithHeaders(o.headers))
	if err != nil {
		return nil, fmt.Errorf("send metrics to %s: %w", o.endpoint, err)
	}
	return sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewPeriodicReader(exporter)), sdkmetric.WithResource(o.resource)), nil
}

// sampler returns what decides which traces are recorded, by its name in the
// standard. Without an argument a ratio is all.
func sampler(name, argument string) sdktrace.Sampler {
	ratio, err := strconv.ParseFloat(argument, 64)
	if err != nil {
		ratio = 1
	}
	var root sdktrace.Sampler
	switch strings.TrimPrefix(name, "parentbased_") {
	case "always_off":
		root = sdktrace.NeverSample()
	case "traceidratio":
		root = sdktrace.TraceIDRatioBased(ratio)
	default:
		root = sdktrace.AlwaysSample()
	}
	if strings.HasPrefix(name, "parentbased_") {
		return sdktrace.ParentBased(root)
	}
	return root
}

// errPairs is returned for what is no list of pairs.
var errPairs = errors.New("name=value is wanted, with commas between, such as team=red,region=eu")

// pairs reads a list of names and values, which are percent-encoded.
func pairs(text string) (map[string]string, error) {
	all := map[string]string{}
	if strings.TrimSpace(text) == "" {
		return all, nil
	}
	for pair := range strings.SplitSeq(text, ",") {
		name, value, found := strings.Cut(pair, "=")
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if name = strings.TrimSpace(name); !found || name == "" || err != nil {
			return nil, errPairs
		}
		all[name] = value
	}
	return all, nil
}
