package lua

// ownModules are the modules that the host itself brings.
func (h *Host) ownModules() []Module { return nil }
