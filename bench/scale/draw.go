package main

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
)

// draw writes the chart as an SVG file. Its y axis begins at 0, so that what
// looks flat is flat.
func (c *chart) draw(file string) error {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = c.Title, c.X, c.Y
	p.Legend.Top = true
	p.Add(plotter.NewGrid())
	for i, l := range c.Lines {
		points := make(plotter.XYs, len(l.X))
		for j := range l.X {
			points[j] = plotter.XY{X: l.X[j], Y: l.Y[j]}
		}
		drawn, marks, err := plotter.NewLinePoints(points)
		if err != nil {
			return err
		}
		drawn.Color, drawn.Width = plotutil.Color(i), vg.Points(1.5)
		marks.Color, marks.Shape, marks.Radius = plotutil.Color(i), plotutil.Shape(i), vg.Points(2)
		p.Add(drawn, marks)
		p.Legend.Add(l.Name, drawn, marks)
	}
	p.X.Min, p.Y.Min = min(p.X.Min, 0), 0
	p.Y.Max *= 1.3 // room for the legend
	return p.Save(7*vg.Inch, 4*vg.Inch, file)
}
