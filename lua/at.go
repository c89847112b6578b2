package lua

// At is the chunk and line of the innermost Lua code that runs in L, "" and 0 if
// none does: [Host.Where] without making text of it.
func (h *Host) At(L *State) (chunk string, line int) {
	f := topFrame(L)
	for f != nil && f.Fn.IsG {
		f = f.Parent
	}
	if f != nil {
		p := pos{fn: f.Fn, pc: f.Pc}
		return f.Fn.Proto.SourceName, p.line()
	}
	if p, ok := h.where(L); ok {
		return p.fn.Proto.SourceName, p.line()
	}
	return "", 0
}
