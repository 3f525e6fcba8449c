/*
Copyright The KubeDirector Authors.

Licensed under the Apache License, Version 2.0 (the "License");
you may not use this file except in compliance with the License.
You may obtain a copy of the License at

    http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software
distributed under the License is distributed on an "AS IS" BASIS,
WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
See the License for the specific language governing permissions and
limitations under the License.
*/

package protocol

const (
	// Version is the protocol this package speaks.
	Version = 1
	// MinVersion is the oldest protocol the guest still serves.
	MinVersion = 1
)

// Limits that bound a message, so that neither side can exhaust the other.
const (
	// MaxRequestBytes bounds one request: metadata and an inline package.
	MaxRequestBytes = 32 << 20
	// MaxRecordBytes bounds one line of the answer.
	MaxRecordBytes = 1 << 20
	// MaxAnswerBytes bounds all lines of one answer.
	MaxAnswerBytes = 8 << 20
	// MaxOutputLimit is the largest output tail a request may ask for.
	MaxOutputLimit = 64 << 10
	// MaxArgBytes is what Linux accepts as one argument (MAX_ARG_STRLEN)
	// with its terminating zero.
	MaxArgBytes = 128<<10 - 1
	// MaxFollowSeconds bounds how long an answer may be delayed to follow a
	// script.
	MaxFollowSeconds = 600
	// DefaultPackageSizeLimit holds for a URL package that names no limit.
	DefaultPackageSizeLimit = 256 << 20
	// UnpackedSizeFactor times a package's size limit bounds what it may
	// unpack to.
	UnpackedSizeFactor = 20
)
