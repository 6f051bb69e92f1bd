//go:build race

package handlers

func init() { raceDetector = true }
